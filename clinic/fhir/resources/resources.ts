import type { Kind } from "../kind.ts"
import { auditEventKind } from "./audit-event.ts"
import { communicationKind } from "./communication.ts"
import { detectedIssueKind } from "./detected-issue.ts"
import { deviceKind } from "./device.ts"
import { deviceMetricKind } from "./device-metric.ts"
import { deviceUseStatementKind } from "./device-use-statement.ts"
import { encounterKind } from "./encounter.ts"
import { groupKind } from "./group.ts"
import { locationKind } from "./location.ts"
import { observationKind } from "./observation.ts"
import { patientKind } from "./patient.ts"
import { provenanceKind } from "./provenance.ts"
import { searchParameterKind } from "./search-parameter.ts"

const clinical: readonly Kind[] = [
    ...[patientKind, encounterKind, groupKind, locationKind],
    ...[observationKind, provenanceKind],
    ...[deviceKind, deviceMetricKind, deviceUseStatementKind],
    ...[detectedIssueKind, communicationKind, auditEventKind],
]

/** The table of resources: routes, the CapabilityStatement, the SearchParameters and the description of the API come from it. */
export const resourceKinds: readonly Kind[] = [...clinical, searchParameterKind(clinical)]

export const kindsByType: ReadonlyMap<string, Kind> = new Map(resourceKinds.map(kind => [kind.type, kind]))
