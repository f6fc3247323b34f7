"""The words of logging in and of the page about people, keys and changes."""

ACCESS: dict[str, tuple[str, str]] = {
    "login_title": ("Inloggen", "Log in"),
    "login_email": ("E-mailadres", "Mail address"),
    "login_password": ("Wachtwoord", "Password"),
    "login_go": ("Verder", "Continue"),
    "login_with_key": ("Met een API-sleutel", "With an API key"),
    "login_key_hint": (
        "De sleutel van uw werkruimte opent het dashboard voor twaalf uur.",
        "The key of your workspace opens the dashboard for twelve hours.",
    ),
    "login_key": ("API-sleutel", "API key"),
    "login_unknown": ("Deze sleutel kennen we niet.", "We do not know this key."),
    "login_wrong": (
        "Deze sleutel mag het dashboard niet zien.",
        "This key may not see the dashboard.",
    ),
    "login_nobody": (
        "E-mailadres of wachtwoord klopt niet.",
        "Mail address or password is not right.",
    ),
    "login_too_often": (
        "Te vaak geprobeerd. Probeer het over {wait} weer.",
        "Tried too often. Try again in {wait}.",
    ),
    "logout": ("Uitloggen", "Log out"),
    "invitation_title": ("Kies uw wachtwoord", "Choose your password"),
    "invitation_hint": (
        "Minstens {least} tekens. Een zin die u onthoudt is beter dan een kort woord.",
        "At least {least} characters. A sentence that you remember beats a short word.",
    ),
    "invitation_token": ("Uitnodiging", "Invitation"),
    "invitation_wrong": (
        "Deze uitnodiging is gebruikt, verlopen of onvolledig. Vraag om een nieuwe.",
        "This invitation was used, is over or is incomplete. Ask for a new one.",
    ),
    "invitation_short": (
        "Een wachtwoord heeft {least} tot {most} tekens, en is niet uw e-mailadres.",
        "A password has {least} to {most} characters, and is not your mail address.",
    ),
    "password_title": ("Uw wachtwoord wijzigen", "Change your password"),
    "password_hint": (
        "Daarna logt u in andere browsers opnieuw in.",
        "Other browsers of yours then log in anew.",
    ),
    "password_current": ("Huidig wachtwoord", "Present password"),
    "password_new": ("Nieuw wachtwoord", "New password"),
    "password_wrong": (
        "Het huidige wachtwoord klopt niet.",
        "The present password is not right.",
    ),
    "access": ("Toegang", "Access"),
    "access_people": ("Wie mag inloggen", "Who may log in"),
    "access_keys": ("Sleutels", "Keys"),
    "audit": ("Logboek", "Audit"),
    "audit_hint": (
        (
            "Elke verandering van mensen, segmenten, toegang en instellingen, de nieuwste boven. "
            "Wie wiens pagina bekeek, staat apart. Hier kan niets uit worden gehaald."
        ),
        (
            "Every change of people, segments, access and settings, the newest on top. Who looked "
            "at whose page stands apart. Nothing can be taken out of it."
        ),
    ),
    "audit_what": ("Wat", "What"),
    "audit_all": ("elke verandering", "every change"),
    "audit_kind_looks": ("wie wiens pagina bekeek", "who looked at whose page"),
    "audit_kind_people": (
        "mensen: wissen, bezwaar, toestemming",
        "people: erasure, objection, consent",
    ),
    "audit_kind_segments": ("segmenten en exports", "segments and exports"),
    "audit_kind_files": ("imports en het afbreken van taken", "imports, and jobs ended early"),
    "audit_kind_content": ("inhoud en campagnes", "content and campaigns"),
    "audit_kind_tools": ("gekoppelde systemen", "connected tools"),
    "audit_kind_access": ("toegang en sleutels", "access and keys"),
    "audit_kind_keeping": ("bewaren, verklaringen, model", "keeping, declarations, model"),
    "audit_who": ("Door wie", "By whom"),
    "audit_anybody": ("iedereen", "anybody"),
    "audit_show": ("Toon", "Show"),
    "audit_none_so": (
        "Zoiets is er niet gebeurd. Kies iets anders.",
        "Nothing like that happened. Choose something else.",
    ),
    "access_audit": ("Wie heeft wat veranderd", "Who changed what"),
    "role": ("Rol", "Role"),
    "role_owner": ("Eigenaar", "Owner"),
    "role_recruiter": ("Recruiter", "Recruiter"),
    "role_reader": ("Lezer", "Reader"),
    "role_privacy_officer": ("Privacyfunctionaris", "Privacy officer"),
    "role_owner_may": ("ziet en mag alles", "sees and does everything"),
    "role_recruiter_may": (
        (
            "ziet mensen, segmenten en webhooks; maakt segmenten, triggers, inhoud, links en "
            "mailings; leest mensen in en exporteert; legt toestemming en bezwaar vast, en wie wie "
            "is"
        ),
        (
            "sees people, segments and webhooks; makes segments, triggers, content, links and "
            "mailings; imports and exports; records consent and objections, and who is who"
        ),
    ),
    "role_reader_may": ("ziet aantallen, nooit wie", "sees numbers, never who"),
    "role_privacy_officer_may": (
        "ziet mensen en wie wat veranderde; legt toestemming en bezwaar vast, en wist mensen",
        "sees people and who changed what; records consent and objections, and erases people",
    ),
    "invite": ("Uitnodigen", "Invite"),
    "invite_again": ("Nieuwe uitnodiging", "New invitation"),
    "invited": ("uitgenodigd tot {day}", "invited until {day}"),
    "invited_link": (
        "Geef deze link aan {name}, en aan niemand anders. Hij staat hier één keer:",
        "Give this link to {name}, and to nobody else. It stands here once:",
    ),
    "last_login": ("laatst hier: {day}", "last here: {day}"),
    "never_used": ("nog niet gebruikt", "not used yet"),
    "change": ("Veranderen", "Change"),
    "end": ("Beëindigen", "End"),
    "key_name": ("Naam", "Name"),
    "key_kind": ("Soort", "Kind"),
    "key_write": ("voor webpagina's", "for web pages"),
    "key_server": ("voor systemen die gebeurtenissen sturen", "for systems that send events"),
    "key_api": ("voor lezen en beheren", "for reading and managing"),
    "key_scopes": ("Wat een API-sleutel mag", "What an API key may do"),
    "key_make": ("Sleutel maken", "Make a key"),
    "key_rotate": ("Vervangen", "Rotate"),
    "key_shown": (
        "De sleutel „{name}” staat hier één keer. Bewaar hem op een veilige plek:",
        "The key “{name}” stands here once. Keep it in a safe place:",
    ),
    "key_rotate_hint": (
        "Vervangen geeft een tweede sleutel die hetzelfde mag. De oude werkt tot u hem beëindigt.",
        "Rotating gives a second key that may do the same. The old one works until you end it.",
    ),
    "key_made_on": ("gemaakt op {day}", "made on {day}"),
    "key_may": ("wat hij mag", "what it may do"),
    "key_used": ("laatst gebruikt: {day}", "last used: {day}"),
    "by": ("door", "by"),
    "by_key": ("sleutel", "key"),
    "by_command_line": ("de opdrachtregel", "the command line"),
    "rule_was": ("Was:", "Was:"),
    "rule_is": ("Is nu:", "Is now:"),
    "not_done": ("Niet gedaan: {why}", "Not done: {why}"),
    "nothing_changed": ("Nog niets veranderd.", "Nothing was changed yet."),
    "older": ("Ouder", "Older"),
}  # fmt: skip
