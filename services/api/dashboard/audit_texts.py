"""What changes are called, what their fields are, and what each scope allows."""

from services.api.dashboard.job_texts import JOB_STATUS
from services.model.vocabulary import CHANNELS, PHASES, PURPOSES
from services.model.words import Language

Both = dict[Language, str]

DONE: dict[str, Both] = {
    "account.invited": {"nl": "Uitgenodigd", "en": "Invited"},
    "account.invited_again": {"nl": "Opnieuw uitgenodigd", "en": "Invited again"},
    "account.password_set": {"nl": "Wachtwoord gekozen", "en": "Password chosen"},
    "account.changed": {"nl": "Toegang veranderd", "en": "Access changed"},
    "account.ended": {"nl": "Toegang beëindigd", "en": "Access ended"},
    "key.made": {"nl": "Sleutel gemaakt", "en": "Key made"},
    "key.rotated": {"nl": "Sleutel vervangen", "en": "Key rotated"},
    "key.changed": {"nl": "Sleutel veranderd", "en": "Key changed"},
    "key.ended": {"nl": "Sleutel beëindigd", "en": "Key ended"},
    "segment.made": {"nl": "Segment gemaakt", "en": "Segment made"},
    "segment.edited": {"nl": "Segment veranderd", "en": "Segment changed"},
    "segment.deleted": {"nl": "Segment verwijderd", "en": "Segment deleted"},
    "segment.listed": {
        "nl": "Iemand met de hand ingedeeld",
        "en": "Somebody put in or out by hand",
    },
    "segment.exported": {"nl": "Leden geëxporteerd", "en": "Members exported"},
    "import.begun": {"nl": "Import begonnen", "en": "Import begun"},
    "import.file_given": {"nl": "Bestand van een import gegeven", "en": "File of an import given"},
    "job.cancelled": {"nl": "Import of export afgebroken", "en": "Import or export cancelled"},
    "campaign.made": {"nl": "Campagne gemaakt", "en": "Campaign made"},
    "mailing.made": {"nl": "Mailing gemaakt", "en": "Mailing made"},
    "erasure.asked": {"nl": "Om wissen gevraagd", "en": "Erasing asked for"},
    "person.erased": {"nl": "Iemand gewist", "en": "Somebody erased"},
    "look.person": {"nl": "Pagina van iemand bekeken", "en": "Somebody's page looked at"},
    "look.known": {
        "nl": "Alles over iemand gedownload",
        "en": "All that is known of somebody downloaded",
    },
    "person.objected": {"nl": "Bezwaar vastgelegd", "en": "Objection recorded"},
    "consent.recorded": {
        "nl": "Antwoord over toestemming vastgelegd",
        "en": "Answer about consent recorded",
    },
    "identity.decided": {"nl": "Beslist wie wie is", "en": "Decided who is who"},
    "content.put": {"nl": "Inhoud toegevoegd", "en": "Content put in"},
    "content.edited": {"nl": "Inhoud veranderd", "en": "Content changed"},
    "content.removed": {"nl": "Inhoud weggehaald", "en": "Content taken out"},
    "retention.set": {"nl": "Bewaartermijn ingesteld", "en": "Retention set"},
    "webhook.made": {"nl": "Webhook gemaakt", "en": "Webhook made"},
    "webhook.changed": {"nl": "Webhook veranderd", "en": "Webhook changed"},
    "webhook.died": {
        "nl": "Webhook gestopt: er kwam niets aan",
        "en": "Webhook stopped: nothing arrived",
    },
    "webhook.deleted": {"nl": "Webhook verwijderd", "en": "Webhook deleted"},
    "webhook.secret_rotated": {
        "nl": "Geheim van een webhook vervangen",
        "en": "Secret of a webhook rotated",
    },
    "trigger.made": {"nl": "Trigger gemaakt", "en": "Trigger made"},
    "trigger.changed": {"nl": "Trigger veranderd", "en": "Trigger changed"},
    "trigger.deleted": {"nl": "Trigger verwijderd", "en": "Trigger deleted"},
    "hook.made": {"nl": "Koppeling met een mailer gemaakt", "en": "Mailer connected"},
    "hook.secrets_told": {
        "nl": "Bewijs van een mailer ingevuld",
        "en": "Proof of a mailer filled in",
    },
    "hook.deleted": {"nl": "Koppeling met een mailer verwijderd", "en": "Mailer disconnected"},
    "link_secret.rotated": {"nl": "Geheim van links vervangen", "en": "Secret of links rotated"},
    "model.activated": {
        "nl": "Andere versie van het model van kracht",
        "en": "Another version of the model in force",
    },
    "asserted_consent.declared": {
        "nl": "Verklaring over toestemming veranderd",
        "en": "Declaration of consent changed",
    },
}

FIELDS: dict[str, Both] = {
    "name": {"nl": "naam", "en": "name"},
    "email": {"nl": "e-mailadres", "en": "mail address"},
    "role": {"nl": "rol", "en": "role"},
    "kind": {"nl": "soort", "en": "kind"},
    "scopes": {"nl": "mag", "en": "may"},
    "beside": {"nl": "naast sleutel", "en": "beside key"},
    "url": {"nl": "adres", "en": "address"},
    "types": {"nl": "over", "en": "about"},
    "segments": {"nl": "segmenten", "en": "segments"},
    "status": {"nl": "toestand", "en": "status"},
    "text_version": {"nl": "versie van de tekst", "en": "version of the text"},
    "source": {"nl": "bron", "en": "source"},
    "since": {"nl": "sinds", "en": "since"},
    "person": {"nl": "persoon", "en": "person"},
    "list": {"nl": "lijst", "en": "list"},
    "left": {"nl": "herkenningstekens die blijven", "en": "identities that stay"},
    "decided_by": {"nl": "besloten door", "en": "decided by"},
    "objected_at": {"nl": "gezegd op", "en": "said on"},
    "given_at": {"nl": "gezegd op", "en": "said on"},
    "decision": {"nl": "beslissing", "en": "decision"},
    "use": {"nl": "waarvoor", "en": "for"},
    "attributes": {"nl": "met de kenmerken", "en": "with the attributes"},
    "bytes": {"nl": "bytes", "en": "bytes"},
    "file_name": {"nl": "bestand", "en": "file"},
    "dry_run": {"nl": "alleen nagekeken", "en": "only checked"},
    "campaign": {"nl": "campagne", "en": "campaign"},
    "starts_at": {"nl": "begint", "en": "begins"},
    "ends_at": {"nl": "eindigt", "en": "ends"},
    "notice": {"nl": "waarom", "en": "why"},
    **PURPOSES,
    "title": {"nl": "titel", "en": "title"},
    "address": {"nl": "adres", "en": "address"},
    "topics": {"nl": "onderwerpen", "en": "topics"},
    "phase": {"nl": "fase", "en": "phase"},
    "format": {"nl": "vorm", "en": "format"},
    "content_type": {"nl": "soort inhoud", "en": "type of content"},
    "months": {"nl": "maanden", "en": "months"},
    "applicant_days": {
        "nl": "dagen na een afwijzing",
        "en": "days after a rejection",
    },
    "segment": {"nl": "segment", "en": "segment"},
    "description": {"nl": "omschrijving", "en": "description"},
    "content_id": {"nl": "item", "en": "item"},
    "when": {"nl": "moment", "en": "moment"},
    "channel": {"nl": "kanaal", "en": "channel"},
    "per_week": {"nl": "contacten per week", "en": "contacts per week"},
    "webhook_id": {"nl": "webhook", "en": "webhook"},
    "esp": {"nl": "mailer", "en": "mailer"},
    "asserted_consent": {"nl": "toestemming volgens", "en": "consent by"},
    "mapping": {"nl": "hoe berichten gelezen worden", "en": "how messages are read"},
    "late": {"nl": "ook wat pas later bleek", "en": "what was found out late too"},
    "serves": {"nl": "bij de vraag", "en": "for the question"},
    "cell": {"nl": "cel van de gespreksmatrix", "en": "cell of the matrix"},
    "published_at": {"nl": "verschenen", "en": "published"},
    "closes_at": {"nl": "sluit", "en": "closes"},
}

VALUES: dict[str, dict[str, Both]] = {
    "status": {
        "active": {"nl": "actief", "en": "active"},
        "paused": {"nl": "gepauzeerd", "en": "paused"},
        "dead": {"nl": "gestopt: er kwam niets aan", "en": "stopped: nothing arrived"},
        **JOB_STATUS,
    },
    "content_type": {
        "story": {"nl": "verhaal", "en": "story"},
        "behind_the_scenes": {"nl": "achter de schermen", "en": "behind the scenes"},
        "vacancy": {"nl": "vacature", "en": "vacancy"},
        "project": {"nl": "project", "en": "project"},
        "podcast": {"nl": "podcast", "en": "podcast"},
        "magazine": {"nl": "magazine", "en": "magazine"},
        "meeting": {"nl": "bijeenkomst", "en": "meeting"},
        "training": {"nl": "opleiding", "en": "training"},
        "video": {"nl": "video", "en": "video"},
    },
    "format": {
        "csv": {"nl": "CSV", "en": "CSV"},
        "ndjson": {"nl": "NDJSON", "en": "NDJSON"},
        "parquet": {"nl": "Parquet", "en": "Parquet"},
        "jsonld": {"nl": "JSON-LD", "en": "JSON-LD"},
        "xml": {"nl": "XML", "en": "XML"},
        "image": {"nl": "beeld", "en": "image"},
        "text": {"nl": "tekst", "en": "text"},
        "video": {"nl": "video", "en": "video"},
        "vr": {"nl": "VR", "en": "VR"},
        "audio": {"nl": "geluid", "en": "audio"},
    },
    "kind": {
        "people": {"nl": "mensen", "en": "people"},
        "events": {"nl": "wat mensen deden", "en": "what people did"},
        "sends": {"nl": "verstuurde mails", "en": "mails that were sent"},
        "vacancies": {"nl": "vacatures", "en": "vacancies"},
        "import": {"nl": "import", "en": "import"},
        "export": {"nl": "export", "en": "export"},
    },
    "cell": {
        "inform": {"nl": "informeren", "en": "inform"},
        "respond": {"nl": "reageren", "en": "respond"},
        "engage": {"nl": "betrekken", "en": "engage"},
        "profile": {"nl": "profileren", "en": "profile"},
        "storytelling": {"nl": "verhalen vertellen", "en": "storytelling"},
        "experience": {"nl": "beleven", "en": "experience"},
    },
    "list": {
        "in": {"nl": "erin gezet", "en": "put in"},
        "out": {"nl": "eruit gehouden", "en": "kept out"},
        "none": {"nl": "de regel beslist weer", "en": "the rule decides again"},
    },
    "decision": {
        "same_person": {"nl": "dezelfde persoon", "en": "one person"},
        "two_people": {"nl": "twee mensen", "en": "two people"},
        "undecided": {"nl": "teruggenomen", "en": "taken back"},
    },
    "use": {
        "insight": {"nl": "inzicht", "en": "insight"},
        "contact": {"nl": "contact", "en": "contact"},
        "audience": {"nl": "advertenties", "en": "advertisements"},
    },
    "types": {
        "phase": {"nl": "fasen", "en": "phases"},
        "latency": {"nl": "op zoek of niet", "en": "looking or not"},
        "segment": {"nl": "segmenten", "en": "segments"},
        "identity": {"nl": "wie wie is", "en": "who is who"},
        "person": {"nl": "wie gewist is", "en": "who is erased"},
        "trigger": {"nl": "triggers", "en": "triggers"},
    },
    "phase": {name: {"nl": text, "en": text} for name, text in PHASES.items()},
    "channel": CHANNELS,
    "esp": {
        "sendgrid": {"nl": "SendGrid", "en": "SendGrid"},
        "postmark": {"nl": "Postmark", "en": "Postmark"},
        "mailgun": {"nl": "Mailgun", "en": "Mailgun"},
        "ses": {"nl": "Amazon SES", "en": "Amazon SES"},
        "brevo": {"nl": "Brevo", "en": "Brevo"},
        "mandrill": {"nl": "Mailchimp Transactional", "en": "Mailchimp Transactional"},
        "generic": {"nl": "een andere mailer", "en": "another mailer"},
    },
}
"""What the values of closed lists are called, by their fields."""

ABOUT: dict[str, Both] = {
    "model.activated": {
        "nl": "Andere versie van het model van kracht",
        "en": "Another version of the model in force",
    },
    "asserted_consent.declared": {
        "nl": "voor de sleutels van servers",
        "en": "for the keys of servers",
    },
    "retention.set": {"nl": "voor de werkruimte", "en": "for the workspace"},
}
"""What changes are about that has no name of its own."""

NOBODY_KNOWN: Both = {"nl": "iemand die niet bekend was", "en": "somebody who was not known"}
"""Whom it is about, where nobody was known by the identity that was given."""

MAPPED: Both = {"nl": "zelf ingesteld; de API zegt hoe", "en": "set up; the API tells how"}
"""For settings that only programs read."""

SCOPES: dict[str, Both] = {
    "persons:read": {"nl": "Mensen zien", "en": "See people"},
    "segments:read": {"nl": "Segmenten en aantallen zien", "en": "See segments and numbers"},
    "segments:write": {
        "nl": "Segmenten maken en veranderen",
        "en": "Make and change segments",
    },
    "persons:write": {"nl": "Gegevens van mensen aanvullen", "en": "Tell what is known of people"},
    "imports:write": {"nl": "Bestanden inlezen", "en": "Bring files in"},
    "exports:write": {"nl": "Leden van segmenten exporteren", "en": "Export members of segments"},
    "jobs:write": {
        "nl": "Imports en exports volgen en afbreken",
        "en": "See and end imports and exports",
    },
    "changes:read": {"nl": "Veranderingen volgen", "en": "Follow changes"},
    "content:read": {"nl": "De catalogus zien", "en": "See the catalogue"},
    "content:write": {"nl": "De catalogus bijwerken", "en": "Change the catalogue"},
    "links:write": {"nl": "Links en mailings maken", "en": "Make links and mailings"},
    "identities:write": {"nl": "Beslissen wie wie is", "en": "Decide who is who"},
    "consent:write": {
        "nl": "Toestemming en bezwaar vastleggen",
        "en": "Record consent and objections",
    },
    "persons:erase": {
        "nl": "Mensen wissen en bewaartermijnen instellen",
        "en": "Erase people, and set how long they are kept",
    },
    "hooks:read": {"nl": "Koppelingen met mailers zien", "en": "See connected mailers"},
    "hooks:write": {"nl": "Mailers koppelen", "en": "Connect mailers"},
    "webhooks:read": {"nl": "Webhooks zien", "en": "See webhooks"},
    "webhooks:write": {"nl": "Webhooks beheren", "en": "Manage webhooks"},
    "triggers:read": {"nl": "Triggers zien", "en": "See triggers"},
    "triggers:write": {"nl": "Triggers beheren", "en": "Manage triggers"},
    "workspace:write": {
        "nl": "De werkruimte instellen",
        "en": "Set up the workspace",
    },
    "workspace:read": {"nl": "De werkruimte zien", "en": "See the workspace"},
    "keys:read": {"nl": "Sleutels zien", "en": "See keys"},
    "keys:write": {"nl": "Sleutels maken en beëindigen", "en": "Make and end keys"},
    "accounts:read": {"nl": "Zien wie mag inloggen", "en": "See who may log in"},
    "accounts:write": {"nl": "Mensen toegang geven", "en": "Give people access"},
    "audit:read": {"nl": "Zien wie wat veranderde", "en": "See who changed what"},
}
