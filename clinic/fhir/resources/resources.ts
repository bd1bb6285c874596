import type { Kind } from "../kind.ts"
import { auditEventKind } from "./audit-event.ts"
import { deviceKind } from "./device.ts"
import { deviceUseStatementKind } from "./device-use-statement.ts"
import { observationKind } from "./observation.ts"
import { patientKind } from "./patient.ts"
import { searchParameterKind } from "./search-parameter.ts"

const clinical: readonly Kind[] = [observationKind, patientKind, deviceKind, deviceUseStatementKind, auditEventKind]

/** The table of resources: routes, the CapabilityStatement, the SearchParameters and the description of the API come from it. */
export const resourceKinds: readonly Kind[] = [...clinical, searchParameterKind(clinical)]

export const kindsByType: ReadonlyMap<string, Kind> = new Map(resourceKinds.map(kind => [kind.type, kind]))
