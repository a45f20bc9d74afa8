"""Patterns of the demo papers: titles by habit, and the sentences of an abstract by their role.

`demo_grammar` expands them; the slots are the keys of a paper's plan (`demo_papers`).
"""

# What a title looks like, by habit. An author has one.
HABITS: dict[str, list[str]] = {
    "name": [
        "{name}: {methods} for {task}",
        "{name}: [handling|coping with|taming] {problem} in {task}",
        "{name}: a {quality} {method} for {task}",
        "{name}: {quality} {task} [with|through] {methods}",
    ],
    "lowercase name": [
        "{lowercase_name}: {methods} for {task}",
        "{lowercase_name}: {quality} {task} despite {problem}",
        "{lowercase_name}: a {quality} {method} for {task}",
    ],
    "question": [
        "[do|can] {methods} help with {problem}?",
        "can {methods} cope with {problem} in {task}?",
        "how much do {problem} matter in {task}?",
        "what do {data} tell us about {problem}?",
        "when do {methods} fail in {task}?",
        "are {methods} enough for {quality} {task}?",
    ],
    "towards": [
        "towards {quality} {task}",
        "towards {quality} {task} with {methods}",
        "towards {task} without {problem}",
        "towards {quality} {methods} for {task}",
    ],
    "on": [
        "on the [role|effect|cost] of {problem} in {task}",
        "on the [use|limits|value] of {methods} in {task}",
        "on {measure} and {problem} in {task}",
        "on {quality} {methods} for {task}",
    ],
    "gerund": [
        "[handling|reducing|overcoming|predicting] {problem} in {task} with {methods}",
        "improving {measure} in {task} with {methods}",
        "learning from {data} for {quality} {task}",
        "combining {methods} with {data} for {task}",
        "[understanding|measuring] {problem} in {task}",
    ],
    "two words": [
        "{quality} {methods}",
        "{problem} and {methods}",
        "{methods} against {problem}",
    ],
    "article": [
        "a {quality} {method} for {task}",
        "a {method} approach to {problem} in {task}",
        "a [study|taxonomy|theory] of {problem} in {task}",
        "a {method} that handles {problem}",
    ],
    "revisited": [
        "[revisiting|rethinking] {methods} for {task}",
        "[revisiting|rethinking] {problem} in {task}",
        "rethinking {measure} in {task}",
        "revisiting {data} for {quality} {task}",
    ],
    "empirical study": [
        "{methods} for {task}: an empirical study",
        "{problem} in {task}: an empirical study",
        "{methods} and {problem}: an empirical study",
    ],
    "from to": [
        "from {problem} to {measure}: {methods} for {task}",
        "from {data} to {quality} {task}",
        "from {data} to {methods}: {quality} {task}",
    ],
    "lessons": [
        "[three|four|five|six] lessons from {data} for {task}",
        "[three|four|five] [facts|myths] about {problem} in {task}",
        "[two|three|four] ways to use {methods} for {task}",
    ],
}

# Sentences by their role. Each role's first requirement is the part of the paper's plan that it
# brings in, so that every word of a title also stands in the abstract.
_GAPS = [  # the problem
    "[Existing|Earlier|Most] [approaches|systems] treat {problem} as noise.",
    "Yet {problem} [remain|are still] [a headache|an obstacle|poorly understood] in {task}.",
    "[Current|Common] tools break down when {problem} [appear|pile up|come together].",
    "We [estimate|found in a survey] that {problem} account for [a third|a quarter|nearly half] "
    "of all failures in {task}.",
    "[Little|Surprisingly little] is known about {problem} and their effect on {measure}.",
    "In practice, {problem} decide whether a system is used or switched off.",
    "The textbooks mention {problem} in passing, if at all.",
    "Ever larger models have not made {problem} go away.",
    "[Practitioners|Users] complain about {problem} more than about anything else.",
    "The usual answer to {problem} is to collect more {objects}, which is slow and costly.",
    "Of all the difficulties of {task}, {problem} are the one that [money cannot solve|resists].",
    "Benchmarks for {task} [leave out|avoid] {problem}, and so do most papers.",
    "Much has been written about {task}, but {problem} [rarely appear|play a minor part] in it.",
    "What makes {task} difficult is not its scale but [the matter of|a handful of] {problem}.",
    "[Anyone|Everyone] who has [worked on|tried] {task} has met {problem}.",
    "With {problem}, even [recent|well tuned] systems [fail|lose most of their advantage].",
    "So far, {problem} have been [worked around|ignored|blamed on the users] rather than solved.",
    "Two [groups|camps] disagree about {problem}: one wants [rules|more supervision], the other "
    "[more data|patience].",
    "If only there were no {problem}, {task} would be [solved|a quiet field].",
    "[Manuals|Lectures] on {task} end where {problem} begin.",
    "Ask [a practitioner|an operator] about {task} and the talk soon turns to {problem}.",
    "[Seen from afar|On paper], {problem} look harmless.",
    "Attempts to remove {problem} [by hand|beforehand] have [cost more than they saved|failed].",
    "Nobody has yet counted how often {problem} spoil {objects}.",
    "The trouble with {problem} is that they [come without warning|are noticed too late].",
]
NAMED_CONTRIBUTIONS = [  # the same with the system's name
    "We [present|propose|introduce|release] {system}, a {quality} {method} for {task}.",
    "This [paper|article] [describes|presents] {system}, a {quality} {method} for {task}.",
    "{system} is a {quality} {method} that we [built|designed] for {task}.",
    "Our answer is called {system}: {quality} {task} by means of {methods}.",
    "With {system}, we bring {quality} {methods} to {task}.",
    "[Here we describe|This is the first report on] {system}, which uses {methods} for {quality} "
    "{task}.",
    "{system} brings {methods} to {task} and aims to be {quality} first, fast second.",
    "The outcome of [our|this] work is {system}, a {quality} {method} that serves {task}.",
    "[Everything|All that follows] is part of {system}, our {quality} {method} for {task}.",
    "How {quality} can {task} become? {system}, [our|a new] {method}, is an attempt to find out.",
    "We [take up|borrow] {methods} from a neighbouring field and [turn|shape] them into a "
    "{quality} "
    "basis for {task}.",
    "[Our aim|The goal] is {quality} {task}; the means are {methods}.",
    "The {method} of this paper is [plain but|small and] {quality}, and it was made for {task}.",
    "[Few|Hardly any] attempts at {quality} {task} have used {methods}; this is one.",
    "[Rather than a larger model|Instead of more hardware], {task} needs a {quality} {method}, we "
    "[claim|believe].",
    "A {method} is [described|put forward] that makes {task} [noticeably|measurably] more "
    "{quality}.",
    "[Step by step|In four steps], we turn a textbook {method} into a {quality} tool for {task}.",
    "We [bring together|unite] {methods} and {quality} {task}, two lines of work that "
    "[seldom meet|grew apart].",
]
_CONTRIBUTIONS = [  # the method, the task and the quality
    "We [present|propose|introduce] a {quality} {method} for {task}.",
    "This [paper|article] [describes|develops] a {quality} {method} for {task}.",
    "This paper asks [how far|whether] {methods} can carry {quality} {task}.",
    "We [return to|revisit] {methods} and make them {quality} enough for {task}.",
    "Here, a {quality} {method} is [built|designed] for {task} from the ground up.",
    "Our answer is a {quality} {method}, made for {task} and tested in daily use.",
    "[In this work|Here], {methods} are used for {quality} {task} for the first time.",
    "We [argue|show] that {quality} {task} is within reach once {methods} are used with care.",
    "What would {quality} {task} look like? We [give|offer] one answer, built on {methods}.",
    "The [idea|claim] of this paper is simple: {methods} make {task} more {quality}.",
    "[Starting from|Building on] {methods}, we work out a {quality} [approach|solution] to {task}.",
    "Can {task} be made more {quality}? We [study|explore] {methods} as a way to get there.",
    "[Two|Three] years of work on {task} went into the {quality} {method} that we [present|report] "
    "here.",
    "We combine what is known about {methods} into one {quality} [tool|recipe] for {task}.",
]
_STEPS = [  # what the method does
    "[The|Our] {method} {step}.",
    "In short, [the method|the system] {step}.",
    "At its core, the {method} {step}.",
    "The system {step}[, then {step2}|].",
    "[The method|Our system] {step}, and in a second pass it {step2}.",
    "Unlike [its predecessors|earlier systems], ours {step}.",
    "For [each|every one] of the {objects}, the {method} {step}.",
    "[Where others guess|Instead of guessing], our system {step}.",
    "There are two parts: the first {step}, the second {step2}.",
    "[The trick is easily told|The principle is old]: the {method} {step}.",
    "During operation, the {method} {step}; when in doubt, it {step2}.",
    "What the {method} does is [simple|soon told]: it {step}.",
    "[Each|Every] night it {step2}; during the day it {step}.",
    "The inner loop {step}, while the outer one {step2}.",
    "[Technically|Put differently], the {method} {step}.",
    "A variant that {step2} is compared with one that {step}.",
    "Given new {objects}, the {method} {step}.",
    "The [core|heart] of the system {step} and leaves the rest to [the user|simple rules].",
]
_DETAILS = [  # nothing that a title needs
    "No [labels are|hand-written rules are|special hardware is] needed.",
    "The whole system fits on a [laptop|single board computer|telephone] and needs no tuning.",
    "A short proof shows that the procedure always stops.",
    "The [cost|running time] grows only linearly with the number of {objects}.",
    "Two [small|simple] design choices turn out to matter: the order of the {objects} and the "
    "choice of the loss.",
    "An optional step lets experts correct single {objects} by hand.",
    "[Training|Setting it up] takes [an hour|an afternoon|one night] on ordinary equipment.",
    "All parameters can be set from [a handful of|twenty|fifty] {objects}.",
    "Where {objects} are scarce, a simpler variant [does as well|suffices].",
    "We also describe two ideas that did not work.",
    "Memory is bounded by the number of {objects} that are open at once.",
    "We [list|report] every setting that we tried, including the bad ones.",
    "The [derivation|algorithm] takes half a page.",
    "Nothing has to be retrained when new {objects} arrive.",
    "Users see why each of the {objects} was treated as it was.",
    "[Only|Just] three numbers have to be chosen, and all have [safe|sensible] defaults.",
]
_EVALUATIONS = [  # the data
    "[We evaluate it|We test it|It is evaluated] on {n} collections of {data}.",
    "[Experiments|Trials] with {data} [cover|span] {n} years and {n} countries.",
    "The evidence comes from {data} and from {n} weeks of use in the field.",
    "We compare {n} systems on {data}, with and without {problem}.",
    "A [new|public] collection of {data} [accompanies|comes with] this paper.",
    "All experiments use {data} that [were never seen in training|others can obtain].",
    "{n} [independent teams|groups of students] repeated the experiments with {data}.",
    "On {data}, we measure {measure} before and after the change.",
    "To test the idea we turn to {data}, [where errors are costly|which are messy by nature].",
    "For the evaluation, {data} were [split by year|collected in {n} cities|labelled twice].",
    "[Results|Measurements] on {data} are given for {n} [settings|seasons|sizes of the system].",
    "[Having no good benchmark|As a benchmark], we use {data} from {n} sources.",
    "{n} years of {data} serve as the test, [the last of them unseen|in the order of their dates].",
    "We [asked|paid] {n} experts to judge the output on {data}.",
    "[A blind|A preregistered] comparison on {data} involves {n} systems.",
    "The [main|largest] experiment runs on {data} from {n} [towns|institutions|countries].",
    "[Simulations|Small trials] came first; {data} then decided the matter.",
    "[Since|As] {data} differ from place to place, we repeat every run {n} times.",
    "On {data} as well as on artificial examples, we vary {problem} from rare to frequent.",
    "We hold out {n} sources of {data} and train on the others.",
]
_RESULTS = [  # the measure
    "{measure} [improves|changes for the better] by {percent} percent over [a strong baseline|"
    "the best earlier system].",
    "We report gains of {percent} percent in {measure}[, at half the cost|, with less training|].",
    "[The effect on|The gain in] {measure} is [small but steady|largest for the hardest "
    "{objects}|clear in all settings].",
    "In terms of {measure}, it [matches|equals] systems that are {n} times as large.",
    "{measure} stays [within {percent} percent of|close to] what experts achieve.",
    "The comparison favours the simpler variant, whose {measure} is {percent} percent better.",
    "With {problem} in the data, {measure} hardly [suffers|changes].",
    "Averaged over all runs, {measure} is {percent} percent better than [before|without it].",
    "[A panel of experts|An outside group] confirmed the progress in {measure}.",
    "[Only one earlier system|No earlier system|No system of this size] reaches the same "
    "{measure}.",
    "What {measure} gains, [nothing else loses|it does not pay for elsewhere].",
    "A difference of {percent} percent in {measure} remains after all corrections.",
    "The [improvement|progress] in {measure} amounts to {percent} percent and holds [for {n} of "
    "seven sites|in every repetition].",
    "[Half|A quarter] of the gap in {measure} between [novices|machines] and experts disappears.",
    "{measure} gets better with every one of the first {percent} {objects} and then levels off.",
    "[Judged|Measured] by {measure}, the {method} ranks [first|second] among {n} competitors.",
    "Where {problem} are frequent, {measure} is {percent} percent better; elsewhere nothing "
    "changes.",
    "We [see|measure] {percent} percent better {measure} at the same [cost|budget|speed].",
    "[Removing|Leaving out] the {method} undoes the gain in {measure} at once.",
]
_FINDINGS = [  # lore of the field
    "[The|Our] results [show|suggest|indicate] that {insight}.",
    "We [find|observe] that {insight}.",
    "[Unexpectedly|To our surprise], {insight}.",
    "[An error analysis|A closer look] reveals that {insight}.",
    "Among the lessons: {insight}, and {insight2}.",
    "One finding [stands out|deserves attention]: {insight}.",
    "[Interviews with users|Follow-up trials] confirm that {insight}.",
    "It also turns out that {insight}.",
    "[Looking back|On reflection], {insight}.",
    "[Contrary to common belief|As some had suspected], {insight}.",
    "We learned that {insight}, and that {insight2}.",
    "[A by-product|A side result] of the study: {insight}.",
    "The data leave little doubt that {insight}.",
    "[Two of the authors|The reviewers] had bet against it, but {insight}.",
    "That {insight} [is new to us|came as no surprise to the operators].",
    "It was [known|suspected] that {insight}; now it is [measured|shown].",
    "[Apparently|In our data], {insight}, whereas {insight2}.",
    "[We caution|Readers should know] that {insight}.",
]
_CLOSINGS = [
    "[Code and data are|The code is] [freely available|published with the paper].",
    "We [close|end] with [advice for practitioners|open questions|a list of failures].",
    "The method is now in daily use at [two|three] sites.",
    "Limits of the study, above all its [size|length|narrow choice of {objects}], are discussed.",
    "We hope that others will [try to break it|build on it].",
    "What remains open is [the behaviour over years|how to choose the {objects}].",
    "[Extensions to|Consequences for] neighbouring fields are sketched.",
    "A [demonstration|short film] is [available|shown at the conference].",
    "[Further|Next] work will look at [other languages|poorer regions|smaller devices].",
    "An appendix [lists all runs|answers frequent questions|contains the proofs].",
    "[Students|Volunteers] have since [rebuilt it|repeated the study] from the text alone.",
    "[The idea|The recipe] should carry over to related problems.",
    "We [explain|describe] how to start with [little money|few {objects}].",
    "Everything needed to repeat the study is [public|in the appendix].",
    "[Whether|How long] this holds outside our test sites is [an open question|for others to say].",
]
ROLES = {
    "cause": ["{cause}."],
    "gap": _GAPS,
    "contribution": _CONTRIBUTIONS,
    "step": _STEPS,
    "detail": _DETAILS,
    "evaluation": _EVALUATIONS,
    "result": _RESULTS,
    "finding": _FINDINGS,
    "closing": _CLOSINGS,
}
