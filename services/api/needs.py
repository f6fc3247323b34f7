"""The credentials that routes ask for, by scope."""

from typing import Annotated

from fastapi import Depends

from services.api.auth import Credential, Needs

PersonsReader = Annotated[Credential, Depends(Needs("persons:read"))]
PersonsWriter = Annotated[Credential, Depends(Needs("persons:write"))]
Importer = Annotated[Credential, Depends(Needs("imports:write"))]
Exporter = Annotated[Credential, Depends(Needs("exports:write"))]
JobsWorker = Annotated[Credential, Depends(Needs("jobs:write"))]
PersonsEraser = Annotated[Credential, Depends(Needs("persons:erase"))]
SegmentsReader = Annotated[Credential, Depends(Needs("segments:read"))]
SegmentsWriter = Annotated[Credential, Depends(Needs("segments:write"))]
ChangesReader = Annotated[Credential, Depends(Needs("changes:read"))]
IdentitiesWriter = Annotated[Credential, Depends(Needs("identities:write"))]
ConsentWriter = Annotated[Credential, Depends(Needs("consent:write"))]
ContentReader = Annotated[Credential, Depends(Needs("content:read"))]
ContentWriter = Annotated[Credential, Depends(Needs("content:write"))]
HooksReader = Annotated[Credential, Depends(Needs("hooks:read"))]
HooksWriter = Annotated[Credential, Depends(Needs("hooks:write"))]
LinksWriter = Annotated[Credential, Depends(Needs("links:write"))]
TriggersReader = Annotated[Credential, Depends(Needs("triggers:read"))]
TriggersWriter = Annotated[Credential, Depends(Needs("triggers:write"))]
WebhooksReader = Annotated[Credential, Depends(Needs("webhooks:read"))]
WebhooksWriter = Annotated[Credential, Depends(Needs("webhooks:write"))]
WorkspaceReader = Annotated[Credential, Depends(Needs("workspace:read"))]
WorkspaceWriter = Annotated[Credential, Depends(Needs("workspace:write"))]
KeysReader = Annotated[Credential, Depends(Needs("keys:read"))]
KeysWriter = Annotated[Credential, Depends(Needs("keys:write"))]
AccountsReader = Annotated[Credential, Depends(Needs("accounts:read"))]
AccountsWriter = Annotated[Credential, Depends(Needs("accounts:write"))]
AuditReader = Annotated[Credential, Depends(Needs("audit:read"))]
