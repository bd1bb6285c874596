import type { ParameterFault } from "../../../wire/tables/problems.ts"
import { ProblemError } from "../../errors.ts"

/** What is wrong with a parameter of a search. */
export function fault(parameter: string, fault: ParameterFault): ProblemError {
    // What it is called comes from outside: only what could be a name is repeated.
    return new ProblemError("bad-parameter", { parameter: /^[\w.:-]{1,60}$/.test(parameter) ? parameter : "?", fault })
}
