"""The words of a segment's page, and of the form that changes its rule."""

SEGMENTS: dict[str, tuple[str, str]] = {
    "segment_new": ("Nieuw segment", "New segment"),
    "building_old": (
        "Cijfers en mensen zijn nog die van de vorige regel.",
        "Numbers and people are still those of the rule before.",
    ),
    "building_first": (
        "Wordt gevuld, {share}. Ververs de pagina straks.",
        "Being filled, {share}. Load the page again in a while.",
    ),
    "segment_numbers": ("Hoeveel mensen", "How many people"),
    "segment_came": ("Kwamen er het laatst bij", "Came in last"),
    "segment_came_none": ("Er is niemand in.", "Nobody is in it."),
    "segment_went": ("Gingen er het laatst uit", "Left last"),
    "segment_went_none": ("Er ging nog niemand uit.", "Nobody left yet."),
    "why_all": ("Bij allen hieronder:", "With all below:"),
    "as_time_passed": (
        "door wat eerder gebeurde, toen er tijd verstreek",
        "by what happened before, as time passed",
    ),
    "as_time_passed_since": (
        "toen er tijd verstreek na: {what}, {day}",
        "as time passed after: {what}, {day}",
    ),
    "fell_back": ("viel terug uit {phase}, door stilte", "fell back from {phase}, by silence"),
    "fell_back_since": ("; kwam daarin door: {what}, {day}", "; had come there by: {what}, {day}"),
    "catching_up": (
        (
            "Kentering verwerkt nog wat eerder gebeurde, en is nu ongeveer bij {moment}. Wat "
            "daarna kwam telt nog niet mee: aantallen, grafieken en redenen kloppen pas als dit "
            "bericht weg is."
        ),
        (
            "Kentering is still working through what happened before, and has come to about "
            "{moment}. What came after that does not count yet: numbers, charts and reasons are "
            "right once this message is gone."
        ),
    ),
    "standing_still": (
        (
            "Sinds {moment} is niets meer verwerkt, terwijl er wel iets wacht. Wat daarna gebeurde "
            "telt nog niet mee: aantallen, grafieken en redenen zijn van toen. Vraag wie Kentering "
            "beheert om naar de scorer te kijken."
        ),
        (
            "Nothing was worked through since {moment}, though something waits. What happened "
            "after that does not count yet: numbers, charts and reasons are of then. Ask whoever "
            "runs Kentering to look at the scorer."
        ),
    ),
    "now_in": ("nu in {phase}", "now in {phase}"),
    "segment_delete": ("Verwijder dit segment", "Delete this segment"),
    "segment_delete_sure": (
        "Ja, verwijder het. De mensen blijven bekend.",
        "Yes, delete it. The people stay known.",
    ),
    "rule": ("Wie erin zit", "Who is in it"),
    "rule_unreadable": (
        "Deze regel is van een latere versie.",
        "This rule is of a later version.",
    ),
    "rule_change": ("Verander de regel of de naam", "Change the rule or the name"),
    "export": ("Exporteren", "Export"),
    "export_hint": (
        "Wie erin komt, hangt af van de toestemming die mensen gaven voor het gebruik.",
        "Who is in it depends on what people consented to for the use.",
    ),
    "export_use": ("Waarvoor", "What for"),
    "export_insight": ("Inzicht", "Insight"),
    "export_contact": ("Mailen", "To mail them"),
    "export_audience": ("Doelgroep bij adverteerders", "Audience of advertisers"),
    "export_format": ("Bestand", "File"),
    "format_csv": ("CSV (spreadsheet)", "CSV (spreadsheet)"),
    "format_ndjson": ("NDJSON", "NDJSON"),
    "format_parquet": ("Parquet", "Parquet"),
    "export_go": ("Maak het bestand", "Make the file"),
    "export_ready": (
        "Het bestand is klaar. Het wordt bewaard tot {until}.",
        "The file is ready. It is kept until {until}.",
    ),
    "export_file": ("Download het bestand", "Download the file"),
    "export_later": (
        "Exporteren kan zodra het segment gevuld is: tot dan staat niet vast wie erin zit.",
        "The members can be exported once the segment is filled: until then nobody knows them all.",
    ),
    "export_old": (
        "Tot de nieuwe regel gevuld is, staan er de mensen van de vorige regel in.",
        "Until the new rule is filled, the people of the rule before are in it.",
    ),
    "editor_new": ("Nieuw segment", "New segment"),
    "editor_change": ("Segment veranderen", "Change a segment"),
    "segment_name": ("Naam", "Name"),
    "segment_key": ("Sleutel in adressen", "Key"),
    "segment_key_hint": (
        "Staat in adressen en in de API, en verandert nooit. Leeg: van de naam gemaakt.",
        "Stands in addresses and in the API, and never changes. Empty: made from the name.",
    ),
    "segment_no_name": ("Geef het segment een naam.", "Give the segment a name."),
    "segment_no_key": (
        "Een sleutel heeft kleine letters, cijfers, - en _, en begint met een letter of cijfer.",
        "A key has small letters, digits, - and _, and begins with a letter or digit.",
    ),
    "rule_conditions": ("Voorwaarden", "Conditions"),
    "rule_unfinished": (
        "De regel is nog niet af. Bij de voorwaarden hieronder staat wat er ontbreekt.",
        "The rule is not finished. The conditions below say what is missing.",
    ),
    "rule_too_large": (
        "De regel kan zo niet: hoogstens 8 lagen diep en 64 voorwaarden, en gewone tekens.",
        "The rule cannot be so: at most 8 levels deep and 64 conditions, and plain characters.",
    ),
    "rule_no_json": (
        "Deze JSON is geen regel. Er is niets overgenomen.",
        "This JSON is no rule. Nothing was taken over.",
    ),
    "rule_add": ("Voeg toe", "Add"),
    "rule_add_what": ("Voorwaarde erbij", "Another condition"),
    "rule_drop": ("Verwijder", "Remove"),
    "rule_drop_what": ("Verwijder: {what}", "Remove: {what}"),
    "rule_empty": ("Zet er minstens een voorwaarde in.", "Put at least one condition in it."),
    "rule_wrong": ("Nog niet af of onmogelijk", "Not finished, or impossible"),
    "rule_in_words": ("De regel in woorden", "The rule in words"),
    "rule_json": ("Voor experts: de regel als JSON", "For experts: the rule as JSON"),
    "rule_json_label": ("Regel", "Rule"),
    "rule_json_go": ("Neem deze JSON over", "Take this JSON over"),
    "preview": ("Bekijk wie erin komt", "See who would be in it"),
    "save": ("Bewaar", "Save"),
    "preview_title": ("Als u nu bewaart", "If you save now"),
    "preview_members": (
        "{number} van de {persons} mensen zitten erin.",
        "{number} of {persons} people are in it.",
    ),
    "preview_members_1": (
        "1 van de {persons} mensen zit erin.",
        "1 of {persons} people is in it.",
    ),
    "preview_enter": ("{number} komen erin", "{number} come in"),
    "preview_enter_1": ("1 komt erin", "1 comes in"),
    "preview_leave": ("{number} gaan eruit", "{number} leave"),
    "preview_leave_1": ("1 gaat eruit", "1 leaves"),
    "preview_stay": ("{number} blijven", "{number} stay"),
    "preview_stay_1": ("1 blijft", "1 stays"),
    "preview_estimated": (
        "Een schatting: er is naar {looked} mensen gekeken.",
        "An estimate: {looked} people were looked at.",
    ),
    "preview_entering": ("Komen erin, bijvoorbeeld", "Come in, for example"),
    "preview_leaving": ("Gaan eruit, bijvoorbeeld", "Leave, for example"),
    "group_all": ("Dit moet allemaal gelden", "All of these must hold"),
    "group_any": ("Minstens een hiervan moet gelden", "At least one of these must hold"),
    "group_none": ("Niets hiervan mag gelden", "None of these may hold"),
    "group_kind": ("Hoe de voorwaarden samenhangen", "How the conditions go together"),
    "groups": ("Groepen", "Groups"),
    "choose": ("(maakt niet uit)", "(any)"),
}
