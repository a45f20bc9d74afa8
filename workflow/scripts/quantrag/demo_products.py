"""Word stock of the demo reviews: twelve kinds of products and what people say about them.

Every kind has the same keys (`demo_reviews` joins them):
    products: singulars        parts: singulars, after "the"     uses: follow a verb or a noun
    occasions: whole sentences about why it was bought
    praise, liked, gripes, flaws: whole sentences, from full praise to full blame
A phrase that suits only some of the products starts with their names in parentheses.
"""

from quantrag.demo_grammar import phrases

_PRODUCTS = {
    "kitchen": {
        "products": """kettle; blender; toaster; rice cooker; hand mixer; coffee grinder; waffle
            iron""",
        "parts": "lid; handle; power cord; dial; base; finish",
        "uses": """for the morning rush; for a kitchen with little space; for a family of five; for
            a rented flat; for weekend baking; for our cabin""",
        "occasions": """The old one gave up on a Sunday with guests at the table; I cook every day
            and wear things out; My kitchen is the size of a cupboard; We wanted to stop eating
            out""",
        "praise": """It heats evenly and never burns a thing; Cleaning takes ten seconds under the
            tap; After eight months of daily use it looks new; It is so quiet that the cat stays
            in the room; Every batch comes out the same; The steel is thick and nothing rattles""",
        "liked": """It does the job without fuss; The cord is long enough for our counter; It stores
            away easily; Breakfast is a little faster now; The buttons are easy to read""",
        "gripes": """The lid needs a firm push; The manual is printed in tiny grey letters; It is
            louder than the old one; Crumbs collect in a corner that no brush reaches; It smells
            of plastic during the first week""",
        "flaws": """It tripped the fuse twice and then died; The handle came off with boiling water
            inside; Rust appeared after a month; It burns one side and leaves the other raw; The
            motor smelled of smoke on the third day; Water leaks onto the counter every time""",
    },
    "audio": {
        "products": """headset; bookshelf speaker; turntable; kitchen radio; microphone; soundbar;
            voice recorder""",
        "parts": "bass; volume knob; cable; battery; treble; remote control",
        "uses": """for late evenings; for long train rides; for the office; for old jazz records;
            for our small living room; for podcasts""",
        "occasions": """My ears are not young any more and I wanted clear voices; The neighbours
            complained about the last one; I compared six models in the shop; I record lessons
            at home""",
        "praise": """Voices sound as if the singer stood in the room; I heard details in songs that
            I have known for twenty years; It connects at once and stays connected; The battery
            lasts a whole week; Even at full volume nothing distorts; Setting it up took two
            minutes""",
        "liked": """The sound is clean enough for speech; It looks better than the photographs; The
            bass is there when you want it; Switching between devices mostly works; It is light""",
        "gripes": """The treble gets sharp after an hour; The little lamp blinks all night; The
            cable is too short for my shelf; The remote control feels cheap; It forgets the
            station after a power cut""",
        "flaws": """It hums whenever the fridge runs; The left side went silent in the second week;
            It drops the connection every ten minutes; The battery is empty before lunch; Voices
            sound as if spoken into a bucket; The plug broke off inside the socket""",
    },
    "novels": {
        "products": """crime novel; family saga; fantasy novel; historical novel; ghost story;
            travel memoir; debut novel""",
        "parts": "plot; ending; dialogue; opening chapter; prose; main character",
        "uses": """for a long flight; for a rainy weekend; for our reading circle; for the beach;
            for a week in bed; for my commute""",
        "occasions": """I read everything that this author writes; The cover caught my eye at the
            station; Our reading circle voted for it; I had not finished a book in months""",
        "praise": """I missed my stop twice because of it; The last fifty pages left me in tears;
            Every minor figure has a life of its own; I lent it to three friends and never got
            it back; The twist is fair and I never saw it coming; Whole sentences stayed with me
            for days""",
        "liked": """The middle part moves along nicely; The setting is drawn with care; A few scenes
            made me laugh; It is an easy read; The chapters have the right length for the
            evening""",
        "gripes": """It takes a hundred pages to get going; Two of the brothers are hard to tell
            apart; The translation stumbles here and there; There is one dream too many; The map
            in front is too small to read""",
        "flaws": """I guessed the murderer on page thirty; The ending solves nothing and explains
            less; Everybody talks in the same voice; Whole chapters read like a list; I gave up
            halfway and felt relieved; My copy has forty pages bound upside down""",
    },
    "games": {
        "products": "board game; card game; dice game; strategy game; party game; puzzle box; quiz",
        "parts": "rule book; artwork; box insert; scoring; theme; first round",
        "uses": """for family evenings; for two players; for a loud party; for our holiday house;
            for teenagers; for quiet Sundays""",
        "occasions": """The children are finally old enough for something longer; We play every
            Thursday; The shop owner swore by it; Rain was forecast for the whole holiday""",
        "praise": """We played it nine times in the first week; Even my father, who hates games,
            asked for another round; No two rounds are alike; The rules fit on one page and the
            tactics fill years; Nobody is ever out of the game; The wooden pieces are a pleasure
            to hold""",
        "liked": """It plays well with three; The drawings are charming; A round takes about forty
            minutes; Beginners have a fair chance; The box is a good size for the shelf""",
        "gripes": """The first round drags because of the rules; With five players the waiting is
            long; The cards stick together; The score track is too small for the pieces; Luck
            decides a little too often""",
        "flaws": """Whoever starts wins nearly every time; Nine cards and a die were missing from
            the box; The rules contradict themselves on the second page; The pieces broke in a
            child's hand; After twenty minutes everybody was looking at the clock; The colours
            cannot be told apart by lamplight""",
    },
    "garden": {
        "products": """hedge trimmer; garden hose; leaf rake; watering can; wheelbarrow; pruning
            saw; potting bench""",
        "parts": "grip; blade; frame; nozzle; weight; paint",
        "uses": """for heavy clay soil; for a small balcony; for an old orchard; for my allotment;
            for wet autumn leaves; for a steep slope""",
        "occasions": """The hedge had grown over the window; My back asked for better tools; We took
            over a neglected garden in spring; The previous one rusted through""",
        "praise": """It went through the whole hedge on one charge; It has survived two winters
            outside; My shoulders no longer hurt in the evening; Nothing bends, even under wet
            clay; It cuts thick branches like butter; It rolls over roots without tipping""",
        "liked": """It is light enough for my mother; The grip is comfortable with gloves; It came
            well packed; It gets into most corners; The colour is easy to find in tall grass""",
        "gripes": """The screws need tightening now and then; It is a bit heavy when full; Putting
            it together took an evening; The paint chips quickly; The strap is stiff""",
        "flaws": """The shaft snapped on the first root; It sprays my shoes more than the roses; The
            wheel came off on the way to the compost; It is blunt after one afternoon; The seams
            split in the first frost; Half of the bolts did not fit their holes""",
    },
    "camping": {
        "products": "tent; sleeping bag; camp stove; backpack; hammock; headlamp; rain jacket",
        "parts": "zip; fabric; packing bag; seam; strap; lining",
        "uses": """for a week in the mountains; for festivals; for a bicycle trip; for cold nights;
            for scout camps; for the car""",
        "occasions": """We crossed the highlands in October; My brother dragged me outdoors; I carry
            everything myself, so weight matters; The last one leaked at the worst moment""",
        "praise": """Three days of rain and not a drop inside; It weighs less than my lunch; I slept
            warm at four below zero; Putting it up takes two minutes, even in the dark; Every
            zip runs smoothly with cold fingers; After forty nights outdoors there is no sign of
            wear""",
        "liked": """It packs down small; The pockets are where you need them; It dries fast; It
            keeps off a light shower; The price is fair for occasional trips""",
        "gripes": """It rustles at every move; The packing bag is a tight fit; The instructions are
            sewn in where nobody finds them; It runs a little short for tall people; The clips
            are fiddly""",
        "flaws": """The zip burst on the first night; Water came through the floor within an hour; A
            strap tore off on the second day; It froze me to the bone in July; The pole
            splintered in a light wind; The smell of glue never went away""",
    },
    "cycling": {
        "products": "bike lamp; saddle; pannier; bike lock; floor pump; helmet; phone mount",
        "parts": "clamp; mount; buckle; padding; rubber seal; shape",
        "uses": """for a daily commute; for gravel roads; for winter rides; for my cargo bike; for
            long tours; for the city""",
        "occasions": """I ride forty kilometres a day in any weather; Somebody stole the last one;
            My daughter starts to ride to school; A long tour along the river was coming up""",
        "praise": """It has not moved a millimetre in two thousand kilometres; Rain, salt and mud
            did nothing to it; Drivers give me more room since I have it; I forget that it is
            there, which is the best I can say; Fitting it took one minute and one key; It
            survived a bad fall and so did I""",
        "liked": """It fits my old frame; It clicks into place; It is comfortable on short rides;
            The reflective strip is useful; It looks tidy""",
        "gripes": """The screw loosens over cobbles; The charging port is hard to reach; It squeaks
            on warm days; The strap flaps in the wind; It is heavier than stated""",
        "flaws": """It fell off into the traffic on day two; The first rain killed it; A thief
            needed half a minute; It rubs until the skin is raw; The plastic cracked in the
            cold; It comes loose at every kerb""",
    },
    "pets": {
        "products": """cat tree; dog bed; bird feeder; aquarium filter; dog harness; scratching
            post; hamster wheel""",
        "parts": "cover; fastening; smell; stuffing; size; cleaning hatch",
        "uses": """for two lazy cats; for an old dog; for a nervous puppy; for the balcony birds;
            for a tall tank; for our rescue dog""",
        "occasions": """The sofa was in ribbons; Our dog is twelve and his joints hurt; The puppy
            eats whatever he finds; We adopted two cats from the shelter""",
        "praise": """Both cats moved in within the hour; It has been washed ten times and still
            holds its shape; The dog sleeps through the night again; It stands like a rock, even
            under six kilos of jumping cat; The water has never been so clear; Our vet asked
            where we bought it""",
        "liked": """He uses it most days; The cover comes off for washing; The size is right for a
            small breed; It blends in with the furniture; It was easy to put together""",
        "gripes": """The stuffing has shifted a bit; It hums louder at night; Hair clings to the
            fabric; The smallest size is still large; It took her a week to go near it""",
        "flaws": """It toppled over with the cat on top; The dog tore it open in one afternoon; The
            smell of chemicals filled the flat; He slipped out of it next to a busy road; The
            pump stopped and we lost two fish; Staples stick out at the back""",
    },
    "office": {
        "products": """desk lamp; office chair; label printer; laptop stand; monitor arm; desk fan;
            paper shredder""",
        "parts": "switch; hinge; armrest; stand; driver software; surface",
        "uses": """for working from home; for long days at the screen; for a shared desk; for a
            narrow table; for the reception; for my tax papers""",
        "occasions": """I have worked at the kitchen table for two years; My neck had started to
            hurt; The company paid for half of it; We moved into a brighter office""",
        "praise": """My neck pain was gone within a week; It moves with one finger and stays where I
            leave it; The light is soft and leaves no shadow; Ten hours at the desk feel like
            five; It has never jammed, not once; Everything needed for assembly was in the box""",
        "liked": """It takes up little room; It is stable enough for my screen; The colour goes with
            everything; It is quiet on the lowest setting; The height is easy to change""",
        "gripes": """The cable channel is too narrow; Assembly would be easier with four hands; It
            creaks when I lean back; The switch is on the wrong side; The labels cost as much as
            the printer""",
        "flaws": """It sinks by a few centimetres every hour; The hinge gave way and my screen hit
            the table; The software never found the printer; It flickers until my head aches;
            One wheel broke in the first month; It eats every second page""",
    },
    "toys": {
        "products": "building set; toy train; dollhouse; kite; marble run; plush owl; play kitchen",
        "parts": "box; instruction booklet; colour scheme; wood; sound; smallest piece",
        "uses": """for a fourth birthday; for twins; for rainy afternoons; for the kindergarten; for
            windy days; for grandchildren""",
        "occasions": """My niece wished for nothing else; The tablet had to go for a while; He takes
            every toy apart sooner or later; Two grandchildren were coming for a week""",
        "praise": """They played for three hours without a fight; It has survived two boys and one
            dog; She takes it to bed every night; The parts fit those that we already had; All
            edges are smooth and nothing splinters; He built it alone and was so proud""",
        "liked": """It keeps them busy for a while; The colours are cheerful; It is sturdy for the
            price; There is room to add more later; It cleans up well""",
        "gripes": """Some pieces are fiddly for small hands; The stickers peel at the corners; It
            needs more space than we thought; Batteries are not included; The booklet skips a
            step""",
        "flaws": """It broke before the candles were blown out; The paint comes off on wet fingers;
            Pieces small enough to swallow fall off; It lost interest for her in five minutes;
            The string tore in the first gust; Half of the tracks do not join""",
    },
    "skin": {
        "products": "hand cream; face lotion; sun cream; shampoo; shaving soap; lip balm; bath oil",
        "parts": "scent; texture; pump; tube; cap; label",
        "uses": """for dry winter skin; for sensitive skin; for the gym bag; for the whole family;
            for hiking; for my tired hands""",
        "occasions": """I wash my hands forty times a day at work; My skin reacts to almost
            everything; The one I used for years was discontinued; A friend at the pharmacy gave
            me a sample""",
        "praise": """The cracks in my hands closed within days; A drop the size of a pea is enough;
            Even in January nothing itches; A whole day on the water and no trace of a burn; It
            sinks in at once and leaves no film; Strangers ask me about the scent""",
        "liked": """It smells pleasant without being loud; It spreads well; The tube fits into any
            pocket; It helps for a few hours; My skin feels a bit softer""",
        "gripes": """The cap collects a sticky rim; It takes a while to sink in; The scent lingers
            longer than I like; The last quarter will not come out of the tube; It is dear for
            the amount""",
        "flaws": """My face was red and swollen the next morning; I burned badly after an hour; It
            leaked through my whole bag; It smells of old frying oil; It leaves white crumbs on
            every shirt; My hair came out in the brush""",
    },
    "instruments": {
        "products": """ukulele; digital piano; harmonica; practice amplifier; metronome; violin bow;
            hand drum""",
        "parts": "tone; tuning; keyboard action; case; varnish; sustain",
        "uses": """for a beginner; for small stages; for practice at night; for our school band; for
            travelling; for folk songs""",
        "occasions": """I started to play again at fifty; My teacher said it was time for a better
            one; The band needed something for the small room; My son practises twice a day""",
        "praise": """It stays in tune through a whole evening; The tone is warm and fills the room;
            My teacher could not believe the price; It responds to the lightest touch; It makes
            me want to practise; After a year on the road it plays as on the first day""",
        "liked": """It is fine for chords; The case is a nice extra; It is easy to carry; The low
            notes are better than I expected; It holds up in a small group""",
        "gripes": """The highest notes are thin; The knobs turn too easily; It needed new strings or
            parts after a month; It takes getting used to; The case has no pocket""",
        "flaws": """It will not stay in tune for one song; A note buzzes and nobody can find out
            why; The glue opened in a warm room; Two notes stopped working in the first week; It
            hisses louder than I play; The finish came off on my hands""",
    },
}

PRODUCTS: dict[str, dict[str, list[str]]] = {
    kind: {key: phrases(text) for key, text in stock.items()} for kind, stock in _PRODUCTS.items()
}


def fitting(stock: list[str], product: str) -> list[str]:
    """The phrases that suit the product, without the parentheses that say so."""
    result = []
    for phrase in stock:
        products, closed, rest = phrase.removeprefix("(").partition(") ")
        if not closed:
            result.append(phrase)
        elif product in products.split(", "):
            result.append(rest)
    return result
