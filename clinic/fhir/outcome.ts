import type { OperationOutcome, OperationOutcomeIssue } from "@medplum/fhirtypes"

const codes: Record<number, OperationOutcomeIssue["code"]> = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    406: "not-supported",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
}

/** What a FHIR client gets instead of a resource, with the HTTP status it comes with. */
export function toOutcome(status: number, diagnostics: string): OperationOutcome {
    const code = codes[status] ?? (status < 500 ? "processing" : "exception")
    return { resourceType: "OperationOutcome", issue: [{ severity: "error", code, diagnostics }] }
}
