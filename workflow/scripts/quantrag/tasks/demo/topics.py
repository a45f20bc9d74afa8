"""Word stock of the demo papers: twelve fields with their tasks, troubles, methods and lore.

Every topic has the same keys, so that one grammar serves all (`demo_papers`):
    tasks: mass nouns          problems: plurals        methods: singulars, regular plural
    data: plurals              measures: mass nouns     objects: plurals
    causes: whole sentences    insights: clauses        steps: what the method does, third
                                                            person singular
"""

from quantrag.tasks.demo.grammar import phrases

_TOPICS = {
    "translation": {
        "tasks": """low-resource translation; document translation; subtitle translation; legal
            translation; dialect translation; simultaneous interpreting""",
        "problems": """rare words; long sentences; ambiguous pronouns; idioms; missing diacritics;
            code-switched sentences; inconsistent terms; noisy alignments""",
        "methods": """subword lattice; bilingual memory; pivot decoder; alignment filter; glossary
            constraint; character encoder; back-translation loop; phrase table""",
        "data": """parliament debates; film subtitles; patent claims; travel phrasebooks; news
            archives; folk tales""",
        "measures": "adequacy; fluency; terminology accuracy; translation quality",
        "objects": "sentence pairs; source sentences; loanwords; proper names; clauses",
        "causes": """Most of the world's languages have only a few thousand translated sentences;
            Human translators read the whole page before they choose a word; A single
            mistranslated clause can change the meaning of a contract; Viewers notice at once
            when a character's name changes between two scenes; Interpreters must begin to speak
            before the sentence is over; Related languages share words that look alike and mean
            different things; Bilingual dictionaries age faster than the languages they describe""",
        "insights": """neighbouring sentences settle most doubtful pronouns; related languages help
            more than large ones; a few hundred clean pairs beat many thousands of noisy ones;
            speakers forgive odd word order but not wrong names; word order matters less than
            the choice of terms; older grammars are a useful source of examples; the decoder
            copies names that it should inflect""",
        "steps": """splits unknown words into pieces and scores every path; looks up similar clauses
            before it decodes; translates twice and keeps what both passes agree on; marks each
            term with its entry in the glossary; reads one sentence ahead and one behind; drops
            pairs whose lengths disagree; scores each candidate in both directions""",
    },
    "robots": {
        "tasks": """robot navigation; grasp planning; warehouse picking; aerial mapping; legged
            locomotion; underwater inspection""",
        "problems": """slippery floors; moving obstacles; transparent objects; sensor dropouts;
            narrow passages; worn joints; changing loads; wheel slips""",
        "methods": """contact model; motion primitive; tactile glove; lattice planner; safety
            filter; pose graph; gait library; depth sensor""",
        "data": """warehouse recordings; simulated falls; teleoperated sessions; laser scans; field
            trials; workshop videos""",
        "measures": "success rate; path length; energy use; positioning accuracy",
        "objects": "trajectories; grasps; footholds; parcels; waypoints",
        "causes": """A robot that works in the laboratory often stalls in a real corridor; Glass
            bottles are nearly invisible to depth cameras; Every battery charge that is saved
            adds minutes to a mission; People walk in front of machines without looking up; Maps
            drawn in the morning are out of date by noon; Joints wear down, and the model of the
            arm drifts away from the arm; Divers are expensive, and the water in a harbour is
            rarely clear""",
        "insights": """slow motions are not always safer; touch resolves what cameras miss; most
            falls begin two steps earlier; a coarse map is enough for most turns; operators
            trust a robot that hesitates visibly; half of all replanning is caused by one
            sensor; small errors in timing cost more than errors in position""",
        "steps": """samples short motions and joins the ones that never collide; stops the arm as
            soon as a finger slips; keeps several maps and votes between them; measures the load
            again after each lift; predicts where people will be in two seconds; replans only
            the part of the path that changed; compares each step with a library of earlier ones""",
    },
    "climate": {
        "tasks": """rainfall forecasting; flood warning; drought monitoring; snowmelt prediction;
            wind forecasting; coastal erosion modelling""",
        "problems": """cloud gaps; sparse gauges; sudden storms; biased satellites; short records;
            steep valleys; frozen sensors; missing nights""",
        "methods": """radar mosaic; river network model; ensemble filter; downscaling scheme; soil
            moisture index; analog search; tide correction; snow budget""",
        "data": """radar images; station records; river gauges; ship logs; ice cores; satellite
            passes""",
        "measures": "lead time; forecast skill; false alarm rate; spatial resolution",
        "objects": "storm cells; catchments; water levels; seasonal maps; extremes",
        "causes": """Flash floods leave villages with less than an hour to react; Rain gauges stand
            where people live, and storms form elsewhere; Mountains split the weather into
            dozens of small climates; Farmers decide in spring with what is known about the
            summer; Ships recorded the wind long before there were satellites; A dry winter
            shows in the rivers only months later; Beaches lose in one storm what they gain in
            ten calm years""",
        "insights": """the wettest hour decides the damage; old ship logs correct the satellites;
            two cheap gauges beat one good gauge; errors grow fastest at the snow line; warnings
            that come too often are ignored; the soil remembers last autumn; forecasts for small
            valleys gain the most""",
        "steps": """blends radar and gauges on a grid that follows the river; fills the gaps with
            days that looked alike; carries the uncertainty of the rain down to the water level;
            corrects each satellite against its neighbours; updates the snow depth twice a day;
            weights every member by its recent errors; lets water flow from cell to cell""",
    },
    "proteins": {
        "tasks": """protein folding; drug screening; enzyme design; binding site prediction;
            antibody ranking; membrane simulation""",
        "problems": """flexible loops; disordered regions; missing residues; rare folds; weak
            binders; toxic variants; crystal artifacts; shallow alignments""",
        "methods": """contact map; docking score; residue graph; mutation scan; energy surrogate;
            sequence profile; fragment library; diffusion sampler""",
        "data": """crystal structures; binding assays; deep mutational scans; sequence families;
            cryo-electron maps; thermal shift curves""",
        "measures": "binding affinity; hit rate; structural accuracy; thermal stability",
        "objects": "side chains; candidate molecules; mutants; pockets; domains",
        "causes": """A protein in a living cell never holds still; Screening a million compounds in
            the laboratory takes a year and a fortune; One wrong residue can turn a useful
            enzyme into an inert one; Many proteins take their shape only when they meet a
            partner; Crystals show one frame of what is really a film; Families with few known
            members are the ones that biologists ask about; Antibodies that bind in a tube may
            clump in a syringe""",
        "insights": """pockets open before the molecule arrives; distant relatives carry the most
            information; stability and activity trade off late; water molecules explain the
            worst misses; a handful of residues decides the ranking; cheap scores agree on the
            losers and not on the winners; loops matter more than cores""",
        "steps": """builds the core first and closes the loops last; scores each pocket in many
            slightly different shapes; borrows contacts from distant relatives; mutates one
            residue at a time and keeps the stable ones; learns an energy from short
            simulations; discards poses that bury a charge; passes messages between residues
            that touch""",
    },
    "testing": {
        "tasks": """regression testing; fuzz testing; program repair; code review; crash triage;
            test selection""",
        "problems": """flaky tests; silent failures; stale mocks; race conditions; dead branches;
            duplicate reports; missing oracles; slow builds""",
        "methods": """coverage map; mutation operator; failure signature; call graph; property
            checker; patch template; seed scheduler; test oracle""",
        "data": """bug reports; commit histories; build logs; student programs; stack traces; review
            comments""",
        "measures": "fault detection; branch coverage; developer time; build time",
        "objects": "test cases; patches; crashes; pull requests; failing inputs",
        "causes": """Developers stop trusting a test suite that fails at random; A build that takes
            an hour is started twice a day instead of twenty times; The same crash is often
            filed under a dozen different names; Code that nobody dares to touch is seldom
            covered by tests; Reviewers read the first file of a change more carefully than the
            last; Small teams inherit large programs and few specifications; A bug that shows
            once in a thousand runs still shows every day in production""",
        "insights": """most flaky tests wait for a clock; recent failures predict the next ones;
            short patches are accepted more often than clever ones; coverage says little about
            assertions; one slow test hides behind every slow build; reviewers catch names
            sooner than logic; half of the crashes share a single cause""",
        "steps": """runs the tests that failed lately before all others; shrinks every failing input
            until nothing can be removed; groups crashes by the functions at the top of the
            stack; flips one condition at a time and looks for survivors; repeats suspicious
            tests under load; learns patches from earlier commits; follows each changed line to
            the tests that reach it""",
    },
    "recommenders": {
        "tasks": """music recommendation; news recommendation; playlist continuation; cold-start
            recommendation; grocery recommendation; session search""",
        "problems": """popular items; new users; filter bubbles; accidental clicks; shared accounts;
            seasonal tastes; thin histories; clickbait headlines""",
        "methods": """interest graph; bandit policy; taste embedding; diversity constraint; session
            encoder; exposure model; preference elicitation dialog; negative sampler""",
        "data": """listening logs; click streams; shopping baskets; reader surveys; playlist titles;
            star ratings""",
        "measures": "recall; diversity; user retention; exposure fairness",
        "objects": "playlists; purchases; headlines; item lists; sessions",
        "causes": """Listeners who find nothing new within a minute close the application; A family
            that shares one account confuses every profile; Popular songs collect the clicks
            that make them more popular; New visitors leave before the system has learned
            anything about them; Readers say that they want variety and click on more of the
            same; What people buy in December says little about March; A click is not a sign of
            joy""",
        "insights": """two questions replace a month of clicks; skipped songs say more than finished
            ones; variety pays off only after a week; small shops suffer first from popularity;
            most repeat purchases need no model; explanations change what people choose; evening
            sessions are less predictable than morning ones""",
        "steps": """asks two short questions and updates the profile; separates long habits from the
            mood of the hour; lowers the weight of items that everybody has seen; splits shared
            accounts by time of day; explores a little in every list; treats a skip as half a
            rejection; keeps one slot for something new""",
    },
    "imaging": {
        "tasks": """tumour segmentation; retina screening; fracture detection; ultrasound guidance;
            scan registration; cell counting""",
        "problems": """blurred edges; faint lesions; mislabelled scans; scanner differences;
            overlapping cells; metal implants; rare diseases; low doses""",
        "methods": """shape prior; patch classifier; uncertainty map; dose simulator; atlas
            transform; attention gate; contour refiner; stain normalizer""",
        "data": """chest scans; retina photographs; biopsy slides; ultrasound clips; phantom
            measurements; follow-up visits""",
        "measures": "sensitivity; reading time; boundary accuracy; calibration",
        "objects": "lesions; slices; organ outlines; bone edges; nuclei",
        "causes": """A radiologist reads a scan in four minutes and rarely has five; Patients
            breathe, and the image moves with them; Two hospitals seldom own the same scanner;
            Experts disagree about the edge of a tumour by several millimetres; Children should
            receive as little radiation as possible; Slides that were stained on a Monday look
            darker than those of a Friday; Screening finds many shadows that never become a
            disease""",
        "insights": """readers follow a confident contour even when it is wrong; the second expert
            corrects more than a second model; blur hurts small lesions first; half of the false
            alarms lie at the border of the image; stain differences explain most of the loss; a
            map of doubt saves reading time; rare cases profit from common anatomy""",
        "steps": """marks the pixels on which its members disagree; deforms an average organ until
            it fits; simulates lower doses during training; aligns each slice with its
            neighbours; counts touching cells by their centres; asks an expert only about
            doubtful cases; matches the colours of every slide to a reference""",
    },
    "networks": {
        "tasks": """congestion control; sensor scheduling; intrusion detection; video streaming;
            spectrum sharing; network planning""",
        "problems": """traffic bursts; lossy links; idle radios; stolen keys; jitter spikes; hidden
            nodes; rural dead zones; spoofed packets""",
        "methods": """queue model; relay scheme; traffic fingerprint; token bucket; channel
            predictor; wake-up radio; routing table; rate controller""",
        "data": """packet traces; tower logs; home routers; campus networks; drone relays; city
            sensors""",
        "measures": "throughput; latency; battery life; detection rate",
        "objects": "packets; data flows; time slots; handovers; radio beacons",
        "causes": """A sensor in a vineyard must live for years on one battery; Video calls freeze
            long before the link is full; Most homes own more radios than windows; Attackers
            need one open port and have all night to find it; Villages at the end of the line
            share a single mast; Phones in a moving train change cells every few seconds;
            Buffers that were meant to help now add most of the delay""",
        "insights": """short queues make happier callers; sleeping radios miss less than feared; the
            last hop causes most of the delay; attackers are betrayed by their timing;
            neighbours gain when they share a plan; a second path is worth more than a faster
            one; small packets suffer for large ones""",
        "steps": """slows down before the queue is full; wakes one node out of three in turn; keeps
            a spare path warm; recognizes devices by the rhythm of their packets; borrows unused
            slots from the neighbours; predicts the channel for the next tenth of a second;
            drops old frames rather than new ones""",
    },
    "energy": {
        "tasks": """load forecasting; battery management; grid restoration; solar planning; heat
            pump control; electric vehicle charging""",
        "problems": """evening peaks; ageing cells; voltage drops; cloudy weeks; forecast errors;
            cold starts; price jumps; overloaded transformers""",
        "methods": """charging schedule; ageing model; price signal; thermal store; island detector;
            demand auction; power flow solver; state observer""",
        "data": """smart meters; battery cycles; outage reports; weather forecasts; rooftop panels;
            market prices""",
        "measures": "peak demand; battery lifetime; energy cost; restoration time",
        "objects": "charging sessions; feeders; household loads; power lines; battery packs",
        "causes": """Everybody comes home at six and plugs in the car; A battery that is always full
            grows old quickly; The sun sets just when kitchens begin to draw power; After a
            storm, crews must choose which street gets light first; Heat pumps all start
            together on the first cold morning; Transformers under the pavement are seldom
            measured; Prices for tomorrow are known today, but few households look at them""",
        "insights": """a delay of two hours flattens the evening; shallow cycles double the
            lifetime; neighbours differ more than seasons; warm floors store a cheap evening; a
            rough forecast is enough for a good schedule; price signals move the peak instead of
            lowering it; the weakest line decides the plan""",
        "steps": """shifts flexible loads out of the evening; learns the state of a cell from its
            voltage at rest; restores hospitals first and follows the feeders outward; heats the
            floor while power is cheap; sells spare capacity in a small auction; plans with ten
            versions of tomorrow; limits every charger a little instead of stopping a few""",
    },
    "privacy": {
        "tasks": """private aggregation; key exchange; password storage; encrypted search; identity
            verification; federated learning""",
        "problems": """leaky gradients; weak passwords; side channels; dishonest servers; reused
            keys; membership attacks; forged credentials; long proofs""",
        "methods": """noise mechanism; secret sharing scheme; zero-knowledge proof; hash chain;
            secure enclave; commitment tree; masking protocol; lattice signature""",
        "data": """password leaks; phone keyboards; hospital records; timing traces; voting
            machines; smart cards""",
        "measures": "privacy loss; proof size; signing time; attack success",
        "objects": "signatures; queries; ciphertexts; credentials; model updates",
        "causes": """People choose the same password for the bank and for the bakery; A chip gives
            its key away by the power that it draws; Hospitals could learn from each other if
            they were allowed to talk; Voters want to check their ballot and want nobody else to
            see it; Removing the names does not make a table anonymous; Tomorrow's computers
            will read the mail that is recorded today; A server that is merely curious is
            already a threat""",
        "insights": """the order of the messages leaks more than their content; a little noise in
            the right place is enough; users prefer one long phrase to many rules; most attacks
            need only the timing; small groups pay the highest price for privacy; checking is
            cheaper than proving; caches remember what programs forget""",
        "steps": """splits each value among three servers that do not trust each other; adds noise
            before anything leaves the phone; proves the age of a person without the date of
            birth; takes the same time for right and wrong guesses; renews every key after one
            message; hides the query among decoys; sums the updates without opening them""",
    },
    "transport": {
        "tasks": """bus scheduling; traffic signal control; parcel routing; bicycle sharing; demand
            estimation; railway timetabling""",
        "problems": """late buses; full platforms; empty docks; road works; rush hours; missed
            connections; double-parked vans; school holidays""",
        "methods": """boarding model; signal plan; route auction; delay propagation graph; headway
            rule; dock predictor; crew roster; queue detector""",
        "data": """ticket records; loop detectors; bicycle trips; delivery rounds; timetable
            archives; street cameras""",
        "measures": "waiting time; punctuality; fleet size; seat occupancy",
        "objects": "timetables; delivery tours; trips; crossings; transfers",
        "causes": """One late bus collects the passengers of the next and grows later still;
            Bicycles roll downhill in the morning and nobody rides them back up; A van that
            stops for a minute blocks a lane for ten; Passengers forgive a long ride sooner than
            a long wait; Signals are timed once and then left alone for years; A missed
            connection in the evening can cost a night; Road works move traffic to streets that
            nobody watches""",
        "insights": """holding the early bus helps more than hurrying the late one; half of the
            delay is made at three stops; riders walk farther than planners assume; small
            reserves in the morning save the evening; pedestrians wait less when cars are
            grouped; empty docks cost more riders than full ones; drivers know the shortcuts
            that maps omit""",
        "steps": """holds early vehicles for a few seconds; trades parcels between neighbouring
            tours; counts waiting riders from ticket gaps; gives green to groups instead of
            single cars; moves bicycles before they are missed; repairs the timetable around the
            broken part; follows each delay through the network""",
    },
    "speech": {
        "tasks": """speech recognition; speaker diarization; voice conversion; call transcription;
            accent adaptation; keyword spotting""",
        "problems": """overlapping voices; background noises; regional accents; whispered words;
            cheap microphones; filled pauses; children's voices; distant speakers""",
        "methods": """phone lattice; noise mask; speaker vector; pronunciation lexicon; beam search;
            pitch tracker; echo canceller; spectral augmentation policy""",
        "data": """dinner recordings; call centre archives; court hearings; radio interviews;
            classroom lessons; oral histories""",
        "measures": "word error rate; naturalness; speaker accuracy; response delay",
        "objects": "utterances; phonemes; speaker turns; voice commands; vowels",
        "causes": """At dinner everybody talks at once and with a full mouth; Children speak higher
            and plan their sentences less; The clerk of a court must know who said what; Old
            interviews were taped on machines that hummed; A loudspeaker in the kitchen hears
            the radio first and its owner second; Accents differ most in the vowels that
            dictionaries treat alike; Callers repeat themselves when the machine is slow""",
        "insights": """pauses reveal the speaker more than pitch; ten minutes of an accent are
            enough; the first word of a turn is lost most often; music is harder than traffic;
            listeners prefer a natural error to an unnatural pause; distance hurts consonants
            before vowels; transcribers agree on words and not on turns""",
        "steps": """tracks every voice in its own stream; masks the bands in which the music
            dominates; listens to the pause before it assigns a turn; adds variants of each word
            to the lexicon; delays its decision until the next vowel; trains on clean speech
            played in noisy rooms; compares each turn with the voices heard so far""",
    },
}

TOPICS: dict[str, dict[str, list[str]]] = {
    topic: {key: phrases(text) for key, text in stock.items()} for topic, stock in _TOPICS.items()
}
