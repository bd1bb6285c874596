import type { OperationOutcome, OperationOutcomeIssue } from "@medplum/fhirtypes"
import type { Problem, ProblemDetails } from "../../wire/tables/problems.ts"

const codes: Record<number, OperationOutcomeIssue["code"]> = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
}

/** The codes of wire/tables/problems.ts as a code system. */
const problemSystem = "urn:vitalmote:problem"

/** What a FHIR client gets instead of a resource: the code in `details`, and which parameter is wrong in `location`. */
export function toOutcome({ code, parameter }: Problem, { status, detail }: ProblemDetails): OperationOutcome {
    return {
        resourceType: "OperationOutcome",
        issue: [
            {
                severity: "error",
                code: code === "too-costly" ? code : (codes[status] ?? (status < 500 ? "processing" : "exception")),
                details: { coding: [{ system: problemSystem, code }] },
                diagnostics: detail,
                ...(parameter !== undefined && { location: [`http.${parameter}`] }),
            },
        ],
    }
}

/** What a client should know of an answer that it gets all the same. */
export function warning(code: "not-supported" | "too-costly", diagnostics: string): OperationOutcomeIssue {
    return { severity: "warning", code, diagnostics }
}
