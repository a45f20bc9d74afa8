"""Word stock of the demo reviews: twelve kinds of products and what people say about them.

Every kind has the same keys (`demo_reviews` joins them):
    products: singulars        parts: singulars, after "the"     uses: follow a verb or a noun
    occasions: whole sentences about why it was bought
    praise, liked, gripes, flaws: whole sentences, from full praise to full blame
A phrase that suits only some of the products starts with their names in parentheses.
"""

from quantrag.tasks.demo.grammar import phrases

_PRODUCTS = {
    "kitchen": {
        "products": """kettle; blender; toaster; rice cooker; hand mixer; coffee grinder; waffle
            iron""",
        "parts": """(kettle, blender, rice cooker, coffee grinder) lid; handle; power cord; dial;
            base; finish""",
        "uses": """for the morning rush; for a kitchen with little space; for a family of five; for
            a rented flat; (hand mixer, waffle iron) for weekend baking; for our cabin""",
        "occasions": """The old one gave up on a Sunday with guests at the table; I cook every day
            and wear things out; My kitchen is the size of a cupboard; We wanted to stop eating
            out""",
        "praise": """(rice cooker, toaster, waffle iron) It heats evenly and never burns a thing;
            Cleaning takes ten seconds under the tap; After eight months of daily use it looks
            new; It is so quiet that the cat stays in the room; (rice cooker, coffee grinder,
            waffle iron, hand mixer) Every batch comes out the same; The steel is thick and
            nothing rattles""",
        "liked": """It does the job without fuss; The cord is long enough for our counter; It stores
            away easily; (kettle, toaster, coffee grinder) Breakfast is a little faster now; The
            buttons are easy to read""",
        "gripes": """(kettle, blender, rice cooker, coffee grinder) The lid needs a firm push; The
            manual is printed in tiny grey letters; It is louder than the old one; (toaster,
            waffle iron, hand mixer) Crumbs collect in a corner that no brush reaches; It smells
            of plastic during the first week""",
        "flaws": """It tripped the fuse twice and then died; (kettle) The handle came off with
            boiling water inside; Rust appeared after a month; (toaster, waffle iron) It burns
            one side and leaves the other raw; (blender, hand mixer, coffee grinder) The motor
            smelled of smoke on the third day; (kettle, rice cooker) Water leaks onto the
            counter every time""",
    },
    "audio": {
        "products": """headset; bookshelf speaker; turntable; kitchen radio; microphone; soundbar;
            voice recorder""",
        "parts": """(headset, bookshelf speaker, soundbar, kitchen radio) bass; (headset, bookshelf
            speaker, turntable, kitchen radio) volume knob; cable; finish; sound quality;
            (headset, voice recorder) battery; (headset, bookshelf speaker, soundbar, kitchen
            radio) treble; (soundbar, bookshelf speaker) remote control""",
        "uses": """(headset, bookshelf speaker, turntable, kitchen radio, soundbar) for late
            evenings; (headset, voice recorder) for long train rides; for the office;
            (turntable, bookshelf speaker) for old jazz records; (bookshelf speaker, turntable,
            soundbar) for our small living room; (headset, microphone, kitchen radio, voice
            recorder) for podcasts""",
        "occasions": """My ears are not young any more and I wanted clear voices; The neighbours
            complained about the last one; I compared six models in the shop; I listen to
            something all day long""",
        "praise": """Voices sound as if the singer stood in the room; (headset, bookshelf speaker,
            turntable, soundbar) I heard details in songs that I have known for twenty years;
            (headset, bookshelf speaker, soundbar, microphone) It connects at once and stays
            connected; (headset, voice recorder, kitchen radio) The battery lasts a whole week;
            (headset, bookshelf speaker, soundbar, kitchen radio) Even at full volume nothing
            distorts; Setting it up took two minutes""",
        "liked": """The sound is clean enough for speech; It looks better than the photographs; The
            price is fair for what it does; (headset, bookshelf speaker, soundbar) The bass is
            there when you want it; (headset, bookshelf speaker, soundbar) Switching between
            devices mostly works; It is light""",
        "gripes": """(headset, bookshelf speaker, soundbar, kitchen radio) The treble gets sharp
            after an hour; The little lamp blinks all night; The case shows every fingerprint;
            (bookshelf speaker, turntable, kitchen radio, soundbar, microphone) The cable is too
            short for my shelf; (soundbar, bookshelf speaker) The remote control feels cheap;
            (kitchen radio) It forgets the station after a power cut""",
        "flaws": """It hums whenever the fridge runs; (headset, bookshelf speaker, soundbar) The
            left side went silent in the second week; (headset, bookshelf speaker, soundbar) It
            drops the connection every ten minutes; (headset, voice recorder) The battery is
            empty before lunch; Voices sound as if spoken into a bucket; The plug broke off
            inside the socket""",
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
            it back; (crime novel, ghost story, debut novel) The twist is fair and I never saw
            it coming; Whole sentences stayed with me for days""",
        "liked": """The middle part moves along nicely; The setting is drawn with care; A few scenes
            made me laugh; It is an easy read; The chapters have the right length for the
            evening""",
        "gripes": """It takes a hundred pages to get going; (crime novel, family saga, fantasy
            novel, historical novel) Two of the brothers are hard to tell apart; The translation
            stumbles here and there; There is one dream too many; (fantasy novel, historical
            novel, travel memoir) The map in front is too small to read""",
        "flaws": """(crime novel) I guessed the murderer on page thirty; The ending solves nothing
            and explains less; Everybody talks in the same voice; Whole chapters read like a
            list; I gave up halfway and felt relieved; My copy has forty pages bound upside down""",
    },
    "games": {
        "products": "board game; card game; dice game; strategy game; party game; puzzle box; quiz",
        "parts": """rule book; artwork; (board game, card game, strategy game) box insert; scoring;
            theme""",
        "uses": """for family evenings; (board game, card game, dice game, strategy game) for two
            players; for a loud party; for our holiday house; for teenagers; for quiet Sundays""",
        "occasions": """The children are finally old enough for something longer; We play every
            Thursday; The shop owner swore by it; Rain was forecast for the whole holiday""",
        "praise": """We played it nine times in the first week; Our guests would not go home because
            of it; Even my father, who hates games, asked for another round; (board game, card
            game, dice game, strategy game, party game, quiz) No two rounds are alike; (board
            game, card game, dice game, strategy game) The rules fit on one page and the tactics
            fill years; (board game, card game, dice game, strategy game) Nobody is ever out of
            the game; (board game, strategy game, puzzle box) The wooden pieces are a pleasure
            to hold""",
        "liked": """(board game, card game, dice game, strategy game) It plays well with three; It
            gets people talking; The drawings are charming; (board game, card game, dice game,
            strategy game, quiz) A round takes about forty minutes; Beginners have a fair
            chance; The box is a good size for the shelf""",
        "gripes": """The first round drags because of the rules; The print is small for my eyes;
            (board game, card game, dice game, strategy game, quiz) With five players the
            waiting is long; (card game, quiz, party game) The cards stick together; (board
            game, strategy game) The score track is too small for the pieces; (board game, card
            game, dice game, strategy game, party game, quiz) Luck decides a little too often""",
        "flaws": """(board game, card game, dice game, strategy game) Whoever starts wins nearly
            every time; (board game, card game, dice game, party game) Nine cards and a die were
            missing from the box; The rules contradict themselves on the second page; (board
            game, strategy game, puzzle box) The pieces broke in a child's hand; It was solved
            and forgotten within a day; The print wore off after three evenings; After twenty
            minutes everybody was looking at the clock; (board game, card game, dice game,
            strategy game) The colours cannot be told apart by lamplight""",
    },
    "garden": {
        "products": """hedge trimmer; garden hose; leaf rake; watering can; wheelbarrow; pruning
            saw; potting bench""",
        "parts": """grip; (hedge trimmer, pruning saw) blade; (wheelbarrow, potting bench) frame;
            (garden hose, watering can) nozzle; finish; packaging""",
        "uses": """(wheelbarrow) for heavy clay soil; (watering can, potting bench) for a small
            balcony; (pruning saw, wheelbarrow, garden hose, leaf rake) for an old orchard; for
            my allotment; for our new garden; (leaf rake, wheelbarrow) for wet autumn leaves;
            (wheelbarrow, hedge trimmer) for a steep slope""",
        "occasions": """(hedge trimmer, pruning saw) The hedge had grown over the window; My back
            asked for better tools; We took over a neglected garden in spring; The previous one
            fell apart; Spring came early this year""",
        "praise": """(hedge trimmer) It went through the whole hedge on one charge; It has survived
            two winters outside; You can tell that gardeners designed it; My shoulders no longer
            hurt in the evening; (wheelbarrow, leaf rake, potting bench) Nothing bends, even
            under wet clay; (hedge trimmer, pruning saw) It cuts thick branches like butter;
            (wheelbarrow) It rolls over roots without tipping""",
        "liked": """It is light enough for my mother; (hedge trimmer, leaf rake, watering can,
            wheelbarrow, pruning saw) The grip is comfortable with gloves; It came well packed;
            (hedge trimmer, garden hose, leaf rake, watering can, pruning saw) It gets into most
            corners; The colour is easy to find in tall grass""",
        "gripes": """It is dearer than it should be; It takes up half of the shed; The colour fades
            in the sun; (watering can, wheelbarrow, garden hose) It is a bit heavy when full;
            (wheelbarrow, potting bench) Putting it together took an evening; (wheelbarrow,
            potting bench, watering can) The paint chips quickly; (hedge trimmer) The strap is
            stiff""",
        "flaws": """(leaf rake) The shaft snapped on the first root; It came bent out of the box; It
            fell to pieces before the summer; (garden hose, watering can) It sprays my shoes
            more than the roses; (wheelbarrow) The wheel came off on the way to the compost;
            (hedge trimmer, pruning saw) It is blunt after one afternoon; (garden hose, watering
            can) The seams split in the first frost; (wheelbarrow, potting bench) Half of the
            bolts did not fit their holes""",
    },
    "camping": {
        "products": "tent; sleeping bag; camp stove; backpack; hammock; headlamp; rain jacket",
        "parts": """(tent, sleeping bag, backpack, rain jacket) zip; (tent, sleeping bag, backpack,
            rain jacket, hammock) fabric; packing bag; finish; (tent, sleeping bag, backpack,
            rain jacket, hammock) seam; (backpack, headlamp, hammock) strap; (sleeping bag,
            backpack, rain jacket) lining""",
        "uses": """for a week in the mountains; for festivals; for a bicycle trip; (tent, sleeping
            bag, camp stove) for cold nights; for scout camps; for short trips; (tent, sleeping
            bag, camp stove, headlamp) for the car""",
        "occasions": """We crossed the highlands in October; My brother dragged me outdoors; I carry
            everything myself, so weight matters; (tent, camp stove, rain jacket) The last one
            leaked at the worst moment""",
        "praise": """(tent, backpack, rain jacket) Three days of rain and not a drop inside; It
            weighs less than my lunch; (tent, sleeping bag) I slept warm at four below zero;
            (tent, hammock) Putting it up takes two minutes, even in the dark; (tent, sleeping
            bag, backpack, rain jacket) Every zip runs smoothly with cold fingers; I trust it
            with my life and have done so; After forty nights outdoors there is no sign of wear""",
        "liked": """It packs down small; (tent, backpack, rain jacket) The pockets are where you
            need them; (tent, sleeping bag, backpack, rain jacket, hammock) It dries fast;
            (tent, backpack, rain jacket) It keeps off a light shower; The price is fair for
            occasional trips; It is simple to use""",
        "gripes": """(tent, sleeping bag, rain jacket) It rustles at every move; The packing bag is
            a tight fit; The colour scares the deer; (tent, sleeping bag, rain jacket, hammock)
            The instructions are sewn in where nobody finds them; (tent, sleeping bag, rain
            jacket, hammock, backpack) It runs a little short for tall people; (tent, backpack,
            hammock, headlamp) The clips are fiddly""",
        "flaws": """(tent, sleeping bag, backpack, rain jacket) The zip burst on the first night;
            (tent) Water came through the floor within an hour; (backpack, headlamp, hammock) A
            strap tore off on the second day; (tent, sleeping bag, rain jacket, hammock) It
            froze me to the bone in July; (tent) The pole splintered in a light wind; The smell
            of glue never went away; It failed me twenty kilometres from the next road; It was
            broken when I unpacked it""",
    },
    "cycling": {
        "products": "bike lamp; saddle; pannier; bike lock; floor pump; helmet; phone mount",
        "parts": """(bike lamp, saddle, phone mount, floor pump) clamp; (bike lamp, pannier, phone
            mount, bike lock) bracket; (helmet, pannier) buckle; (saddle, helmet) padding;
            finish; (bike lamp, bike lock, floor pump, pannier) rubber seal; shape""",
        "uses": """for a daily commute; for gravel roads; (bike lamp, pannier, helmet, phone mount)
            for winter rides; for my cargo bike; for long tours; for the city""",
        "occasions": """I ride forty kilometres a day in any weather; (bike lamp, saddle, pannier,
            bike lock, floor pump, helmet) Somebody stole the last one; My daughter starts to
            ride to school; A long tour along the river was coming up""",
        "praise": """(bike lamp, saddle, pannier, phone mount) It has not moved a millimetre in two
            thousand kilometres; Rain, salt and mud did nothing to it; After five years it still
            works like new; The whole club wants the same one; (bike lamp) Drivers give me more
            room since I have it; (saddle, pannier, helmet, phone mount) I forget that it is
            there, which is the best I can say; (bike lamp, saddle, pannier, phone mount)
            Fitting it took one minute and one key; (helmet, bike lamp, pannier, phone mount) It
            survived a bad fall and so did I""",
        "liked": """(bike lamp, saddle, pannier, bike lock, phone mount) It fits my old frame; (bike
            lamp, pannier, bike lock, phone mount, helmet) It clicks into place; (saddle,
            helmet) It is comfortable on short rides; (pannier, helmet, bike lock) The
            reflective strip is useful; It looks tidy; The price is fair; It is small enough""",
        "gripes": """(bike lamp, saddle, phone mount) The screw loosens over cobbles; (bike lamp)
            The charging port is hard to reach; (saddle, floor pump, pannier) It squeaks on warm
            days; (pannier, helmet) The strap flaps in the wind; It is heavier than stated; The
            colour is not the one in the picture; It could be a little smaller""",
        "flaws": """(bike lamp, pannier, phone mount) It fell off into the traffic on day two; (bike
            lamp, phone mount) The first rain killed it; (bike lock) A thief needed half a
            minute; (saddle, helmet) It rubs until the skin is raw; The plastic cracked in the
            cold; It lasted exactly three rides; It came with a part missing and nobody answers
            my letters; (bike lamp, saddle, pannier, phone mount) It comes loose at every kerb""",
    },
    "pets": {
        "products": """cat tree; dog bed; bird feeder; aquarium filter; dog harness; scratching
            post; hamster wheel""",
        "parts": """(dog bed, cat tree, dog harness) cover; fastening; (dog bed, dog harness)
            stuffing; size; (bird feeder, aquarium filter, hamster wheel) cleaning hatch;
            workmanship""",
        "uses": """(cat tree, scratching post) for two lazy cats; (dog bed, dog harness) for an old
            dog; (dog bed, dog harness) for a nervous puppy; (bird feeder) for the balcony
            birds; (aquarium filter) for a tall tank; for beginners; for a small flat; for my
            daughter's pets; (dog bed, dog harness) for our rescue dog""",
        "occasions": """(cat tree, scratching post) The sofa was in ribbons; (dog bed, dog harness)
            Our dog is twelve and his joints hurt; (dog bed, dog harness) The puppy eats
            whatever he finds; (cat tree, scratching post) We adopted two cats from the shelter;
            Our animals are family; The old one was beyond repair""",
        "praise": """(cat tree) Both cats moved in within the hour; (dog bed, dog harness) It has
            been washed ten times and still holds its shape; (dog bed) The dog sleeps through
            the night again; (cat tree, scratching post) It stands like a rock, even under six
            kilos of jumping cat; (aquarium filter) The water has never been so clear; Our vet
            asked where we bought it; The animals took to it from the first minute; Three years
            of daily use and hardly a scratch""",
        "liked": """(cat tree, dog bed, scratching post, hamster wheel, dog harness) He uses it most
            days; (dog bed, cat tree) The cover comes off for washing; (dog bed, dog harness)
            The size is right for a small breed; (cat tree, dog bed, scratching post) It blends
            in with the furniture; It was easy to put together; It cleans up without trouble; It
            looks friendly""",
        "gripes": """(dog bed, dog harness) The stuffing has shifted a bit; (aquarium filter) It
            hums louder at night; It is harder to clean than I thought; The instructions are
            only drawings; It wobbles a little; (cat tree, dog bed, dog harness) Hair clings to
            the fabric; (dog bed, dog harness, hamster wheel) The smallest size is still large;
            (cat tree, dog bed, scratching post, hamster wheel) It took her a week to go near it""",
        "flaws": """(cat tree, scratching post) It toppled over with the cat on top; (dog bed) The
            dog tore it open in one afternoon; The smell of chemicals filled the flat; It broke
            in the first week; The edges are sharp enough to hurt an animal; (dog harness) He
            slipped out of it next to a busy road; (aquarium filter) The pump stopped and we
            lost two fish; (cat tree, scratching post, dog bed) Staples stick out at the back""",
    },
    "office": {
        "products": """desk lamp; office chair; label printer; laptop stand; monitor arm; desk fan;
            paper shredder""",
        "parts": """(desk lamp, label printer, desk fan, paper shredder) switch; (desk lamp, laptop
            stand, monitor arm) hinge; (office chair) armrest; (desk lamp, desk fan, monitor
            arm, laptop stand) base; (label printer) driver software; surface; finish""",
        "uses": """for working from home; (desk lamp, office chair, laptop stand, monitor arm) for
            long days at the screen; for a shared desk; for a narrow table; (desk lamp, office
            chair, label printer, desk fan) for the reception; (label printer, paper shredder)
            for my tax papers""",
        "occasions": """I have worked at the kitchen table for two years; (office chair, laptop
            stand, monitor arm) My neck had started to hurt; The company paid for half of it; We
            moved into a brighter office""",
        "praise": """(office chair, laptop stand, monitor arm) My neck pain was gone within a week;
            (desk lamp, monitor arm, laptop stand) It moves with one finger and stays where I
            leave it; (desk lamp) The light is soft and leaves no shadow; (desk lamp, office
            chair, laptop stand, monitor arm) Ten hours at the desk feel like five; (label
            printer, paper shredder) It has never jammed, not once; Everything needed for
            assembly was in the box; The whole department wants one now; It is built to outlive
            me""",
        "liked": """It takes up little room; It was quick to set up; (laptop stand, monitor arm) It
            is stable enough for my screen; The colour goes with everything; (desk fan) It is
            quiet on the lowest setting; (desk lamp, desk fan, office chair, laptop stand,
            monitor arm) The height is easy to change""",
        "gripes": """(desk lamp, monitor arm) The cable channel is too narrow; (office chair,
            monitor arm, desk lamp) Assembly would be easier with four hands; (office chair) It
            creaks when I lean back; It is a little wobbly; It gathers dust like nothing else;
            The instructions skip a step; (desk lamp, desk fan, paper shredder, label printer)
            The switch is on the wrong side; (label printer) The labels cost as much as the
            printer""",
        "flaws": """(office chair, laptop stand, monitor arm) It sinks by a few centimetres every
            hour; (monitor arm) The hinge gave way and my screen hit the table; (label printer)
            The software never found the printer; (desk lamp) It flickers until my head aches;
            It stopped working on the second day; It scratched the desk and then fell off it;
            (office chair) One wheel broke in the first month; (paper shredder) It eats every
            second page""",
    },
    "toys": {
        "products": "building set; toy train; dollhouse; kite; marble run; plush owl; play kitchen",
        "parts": """packaging; (building set, toy train, dollhouse, marble run, play kitchen)
            instruction booklet; colour scheme; (toy train, dollhouse, marble run, play kitchen)
            wood; size; workmanship""",
        "uses": """for a fourth birthday; for twins; (building set, plush owl, toy train, dollhouse,
            marble run, play kitchen) for rainy afternoons; for the kindergarten; (kite) for
            windy days; for grandchildren""",
        "occasions": """My niece wished for nothing else; The tablet had to go for a while; He takes
            every toy apart sooner or later; Two grandchildren were coming for a week""",
        "praise": """(building set, toy train, dollhouse, marble run, play kitchen) They played for
            three hours without a fight; It has survived two boys and one dog; It was the best
            present of the year; I have rarely seen such shining eyes; (plush owl) She takes it
            to bed every night; (building set, toy train, dollhouse, marble run) The parts fit
            those that we already had; (toy train, dollhouse, marble run, play kitchen) All
            edges are smooth and nothing splinters; (building set, dollhouse, marble run, play
            kitchen, kite) He built it alone and was so proud""",
        "liked": """It keeps them busy for a while; The colours are cheerful; It is sturdy for the
            price; (building set, toy train, dollhouse, marble run) There is room to add more
            later; It cleans up well; It is a nice size""",
        "gripes": """(building set, toy train, dollhouse, marble run, play kitchen) Some pieces are
            fiddly for small hands; (building set, toy train, dollhouse, play kitchen) The
            stickers peel at the corners; (building set, toy train, dollhouse, marble run, play
            kitchen) It needs more space than we thought; (toy train, play kitchen) Batteries
            are not included; The colours are not as bright as in the picture; It came later
            than promised; It is smaller than we thought; (building set, dollhouse, marble run,
            play kitchen) The booklet skips a step""",
        "flaws": """It broke before the candles were blown out; The paint comes off on wet fingers;
            (building set, toy train, dollhouse, marble run, play kitchen) Pieces small enough
            to swallow fall off; She lost interest in five minutes; (kite) The string tore in
            the first gust; (toy train, marble run) Half of the tracks do not join""",
    },
    "skin": {
        "products": "hand cream; face lotion; sun cream; shampoo; shaving soap; lip balm; bath oil",
        "parts": """scent; texture; (hand cream, face lotion, sun cream, shampoo, bath oil) pump;
            (hand cream, sun cream, lip balm) tube; (hand cream, face lotion, sun cream,
            shampoo, lip balm, bath oil) cap; label""",
        "uses": """(hand cream, face lotion, lip balm, bath oil) for dry winter skin; for sensitive
            skin; for the gym bag; for the whole family; (sun cream, lip balm) for hiking; (hand
            cream) for my tired hands""",
        "occasions": """(hand cream) I wash my hands forty times a day at work; My skin reacts to
            almost everything; The one I used for years was discontinued; A friend at the
            pharmacy gave me a sample""",
        "praise": """(hand cream) The cracks in my hands closed within days; (hand cream, face
            lotion, sun cream, shampoo, bath oil) A drop the size of a pea is enough; (hand
            cream, face lotion, bath oil, lip balm, shaving soap) Even in January nothing
            itches; (sun cream) A whole day on the water and no trace of a burn; (hand cream,
            face lotion, sun cream) It sinks in at once and leaves no film; Strangers ask me
            about the scent; My rash is gone and it has not come back; I have used it for a year
            and want no other""",
        "liked": """It smells pleasant without being loud; It lasts longer than I thought; (hand
            cream, face lotion, sun cream, shampoo, shaving soap) It spreads well; (hand cream,
            sun cream, lip balm) The tube fits into any pocket; (hand cream, face lotion, lip
            balm) It helps for a few hours; (hand cream, face lotion, sun cream, shaving soap,
            bath oil) My skin feels a bit softer""",
        "gripes": """(hand cream, face lotion, sun cream, shampoo, lip balm, bath oil) The cap
            collects a sticky rim; (hand cream, face lotion, sun cream, bath oil) It takes a
            while to sink in; The scent lingers longer than I like; (hand cream, face lotion,
            sun cream) The last quarter will not come out of the tube; It is dear for the
            amount; The list of ingredients is long""",
        "flaws": """(face lotion, sun cream, shaving soap) My face was red and swollen the next
            morning; (sun cream) I burned badly after an hour; It leaked through my whole bag;
            It smells of old frying oil; It itches for hours; It had gone bad before I opened
            it; (hand cream, face lotion, sun cream) It leaves white crumbs on every shirt;
            (shampoo) My hair came out in the brush""",
    },
    "instruments": {
        "products": """ukulele; digital piano; harmonica; practice amplifier; metronome; violin bow;
            hand drum""",
        "parts": """(ukulele, digital piano, harmonica, practice amplifier, hand drum) tone;
            (ukulele, harmonica, hand drum) tuning; (digital piano) keyboard action; case;
            (ukulele, violin bow, hand drum) varnish; (digital piano) sustain; finish;
            workmanship; (violin bow, ukulele) balance""",
        "uses": """for a beginner; (ukulele, digital piano, practice amplifier, hand drum,
            harmonica) for small stages; (digital piano, practice amplifier, metronome) for
            practice at night; for our school band; for travelling; (ukulele, harmonica, violin
            bow, hand drum) for folk songs""",
        "occasions": """I started to play again at fifty; My teacher said it was time for a better
            one; (digital piano, practice amplifier, hand drum) The band needed something for
            the small room; My son practises twice a day""",
        "praise": """(ukulele, harmonica, hand drum) It stays in tune through a whole evening;
            (ukulele, digital piano, harmonica, practice amplifier, hand drum) The tone is warm
            and fills the room; My teacher could not believe the price; (digital piano, hand
            drum, violin bow, harmonica, ukulele) It responds to the lightest touch; It makes me
            want to practise; I would not swap it for one at three times the price; (ukulele,
            digital piano, harmonica, practice amplifier, violin bow, hand drum) After a year on
            the road it plays as on the first day""",
        "liked": """(ukulele, digital piano, harmonica) It is fine for chords; The case is a nice
            extra; It is easy to carry; It is good enough to learn on; (digital piano,
            harmonica, practice amplifier, violin bow) The low notes are better than I expected;
            (ukulele, digital piano, harmonica, practice amplifier, hand drum) It holds up in a
            small group""",
        "gripes": """(ukulele, digital piano, harmonica) The highest notes are thin; (digital piano,
            practice amplifier, metronome) The knobs turn too easily; (ukulele, violin bow) It
            needed new strings or parts after a month; It takes getting used to; It scratches
            easily; The case has no pocket""",
        "flaws": """(ukulele, harmonica, hand drum) It will not stay in tune for one song; (ukulele,
            harmonica, digital piano, practice amplifier) A note buzzes and nobody can find out
            why; (ukulele, violin bow, hand drum) The glue opened in a warm room; (digital
            piano, harmonica) Two notes stopped working in the first week; (practice amplifier)
            It hisses louder than I play; It broke during the second lesson; It is a toy that is
            sold as an instrument; (ukulele, violin bow, hand drum) The finish came off on my
            hands""",
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
