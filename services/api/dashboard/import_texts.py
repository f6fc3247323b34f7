"""The words of the page that brings people in by file."""

from services.model.words import Language

Both = dict[Language, str]

IMPORTS: dict[str, tuple[str, str]] = {
    "import": ("Mensen inlezen", "Bring people in"),
    "import_choose": ("1. Kies het bestand", "1. Choose the file"),
    "import_what": (
        (
            "Een lijst van mensen die u al kent, met wat u van ze weet en waar ze mee instemden. "
            "Eerst wordt alles nagekeken zonder iets te bewaren; daarna beslist u."
        ),
        (
            "A list of people whom you know already, with what you know of them and what they "
            "agreed to. First all of it is checked and nothing is kept; then you decide."
        ),
    ),
    "import_file": ("Bestand", "File"),
    "import_kinds": (
        "CSV met de namen van de kolommen op de eerste regel, of NDJSON; tot 1 GB.",
        "CSV with the names of its columns in the first row, or NDJSON; up to 1 GB.",
    ),
    "import_script": (
        "Deze pagina heeft JavaScript nodig. Zonder gaat het met „kentering import” of de API.",
        "This page needs JavaScript. Without it use “kentering import” or the API.",
    ),
    "import_means": ("2. Wat betekent elke kolom?", "2. What does each column mean?"),
    "import_means_hint": (
        (
            "Dit is een gok op grond van namen en inhoud: kijk hem na. Onder de naam die u een "
            "kenmerk geeft vindt u het terug in regels van segmenten."
        ),
        (
            "This is a guess from names and contents: check it. By the name that you give an "
            "attribute you find it in the rules of segments."
        ),
    ),
    "import_left_out": (
        "Niet te gebruiken, want zonder eigen naam, met een te lange naam of te veel: {names}.",
        "Not to be used, being with no name of their own, too long a name, or too many: {names}.",
    ),
    "import_examples": ("Wat erin staat", "What stands in it"),
    "import_is": ("Dit is", "This is"),
    "import_odd": (
        "Past er niet bij: {cells}. Zo'n regel krijgt een melding.",
        "Does not fit: {cells}. Such a row is told of.",
    ),
    "import_is_special": (
        (
            "Over gezondheid, leeftijd, afkomst of iets dergelijks: dat wordt hier van niemand "
            "bewaard."
        ),
        "About health, age, origin or the like: that is kept of nobody here.",
    ),
    "import_name": ("Naam van het kenmerk", "Name of the attribute"),
    "import_nothing": ("niet inlezen", "leave it out"),
    "import_person": ("Wie het is", "Who it is"),
    "import_attribute": ("Kenmerk", "Attribute"),
    "import_as_text": ("kenmerk: tekst", "attribute: text"),
    "import_as_number": ("kenmerk: getal", "attribute: number"),
    "import_as_date": ("kenmerk: datum", "attribute: date"),
    "import_as_yes_no": ("kenmerk: ja of nee", "attribute: yes or no"),
    "import_as_list": ("kenmerk: lijst, met ; ertussen", "attribute: list, with ; between"),
    "import_agreed": ("instemming (ja/nee): {purpose}", "agreed (yes/no): {purpose}"),
    "import_given": ("Wanneer ze instemden", "When they agreed"),
    "import_text": ("Met welke tekst ze instemden", "Which words they agreed to"),
    "import_dates": ("Datums staan er als", "Dates are written as"),
    "import_dates_iso": ("2026-11-22", "2026-11-22"),
    "import_dates_day_first": ("22-11-2026", "22-11-2026"),
    "import_dates_month_first": ("11/22/2026", "11/22/2026"),
    "import_decimal": ("Getallen met een", "Numbers with a"),
    "import_comma": ("komma: 1,5", "comma: 1,5"),
    "import_point": ("punt: 1.5", "point: 1.5"),
    "import_encoding": ("Letters", "Letters"),
    "import_utf8": ("gewoon (UTF-8)", "usual (UTF-8)"),
    "import_1252": ("ouder Windows (1252)", "older Windows (1252)"),
    "import_as_of": ("Van welke dag het bestand is", "Of what day the file is"),
    "import_as_of_hint": (
        "Wat daarna al anders werd verteld, blijft staan.",
        "What was told differently after that day stays.",
    ),
    "import_basis": ("3. Waar stemden ze mee in?", "3. What did they agree to?"),
    "import_basis_hint": (
        (
            "Zonder instemming met meten wordt iemand overgeslagen; zonder instemming met een "
            "schatting krijgt niemand een fase. Wat een kolom hierboven zegt, gaat voor."
        ),
        (
            "Without consent to being measured somebody is left out; without consent to an "
            "estimate nobody gets a phase. What a column above says goes first."
        ),
    ),
    "import_everybody": (
        "Iedereen in dit bestand stemde in met:",
        "Everybody in this file agreed to:",
    ),
    "import_unless": (
        "Beide zijn nodig, tenzij een kolom het zegt.",
        "Both are needed, unless a column says so.",
    ),
    "import_try": ("Kijk het bestand na", "Check the file"),
    "import_go": ("Lees het in", "Bring it in"),
    "import_first": (
        "Inlezen kan zodra het bestand zo is nagekeken. Nakijken bewaart niemand.",
        "It can be brought in once it was checked like this. Checking keeps nobody.",
    ),
    "import_going": ("4. Wat er gebeurt", "4. What happens"),
    "import_sending": ("Het bestand wordt gestuurd", "The file is being sent"),
    "import_away": (
        "Er kwam geen goed antwoord. Kijk of u verbinding hebt, en laad de pagina opnieuw.",
        "No proper answer came. Check your connection, and load the page again.",
    ),
    "import_after_trial": (
        "Klopt het zo? Kies dan hierboven „Lees het in”. Regels met een fout gaan niet mee.",
        "Is it right like this? Then choose “Bring it in” above. Rows with an error are left out.",
    ),
    "import_after_none": (
        "Zo komt er niemand bij. Verander hierboven iets, of verbeter het bestand.",
        "Like this nobody new comes in. Change something above, or mend the file.",
    ),
}

IMPORT_PROBLEMS: dict[str, Both] = {
    "import_nobody": {
        "nl": "Zeg van minstens één kolom dat die de persoon aanwijst: het e-mailadres of een "
        "nummer.",
        "en": "Say of one column at least that it names the person: the mail address or a number.",
    },
    "import_twice": {
        "nl": "Twee kolommen betekenen nu hetzelfde. Kies voor een daarvan iets anders.",
        "en": "Two columns mean the same now. Choose something else for one of them.",
    },
    "import_names": {
        "nl": "Elk kenmerk heeft een eigen naam nodig.",
        "en": "Each attribute needs a name of its own.",
    },
    "import_special": {
        "nl": "Een kolom gaat over gezondheid, leeftijd, afkomst of iets dergelijks. Dat wordt "
        "hier van niemand bewaard: lees die kolom niet in.",
        "en": "A column is about health, age, origin or the like. That is kept of nobody here: "
        "leave that column out.",
    },
    "import_no_consent": {
        "nl": "Zeg bij 3 dat iedereen instemde met meten, of wijs de kolom aan waar dat staat.",
        "en": "Say under 3 that everybody agreed to being measured, or name the column that tells.",
    },
    "import_no_proof": {
        "nl": "Vul bij 3 in wanneer mensen instemden, met welke tekst, en waar dat bewaard wordt.",
        "en": "Fill in under 3 when people agreed, to what words, and where that is kept.",
    },
    "import_no_day": {
        "nl": "Vul in van welke dag het bestand is.",
        "en": "Fill in of what day the file is.",
    },
    "import_before_2000": {
        "nl": "Het bestand kan niet van voor 2000 zijn. Kies een latere dag.",
        "en": "The file cannot be of before 2000. Choose a later day.",
    },
    "no_file_awaited": {
        "nl": "Deze import wacht niet meer op een bestand. Begin opnieuw.",
        "en": "This import waits for no file any more. Begin again.",
    },
    "empty_file": {
        "nl": "Het bestand is leeg.",
        "en": "The file is empty.",
    },
}
