import { problemText, type Problem, type ProblemCode, type ProblemParameters } from "../wire/tables/problems.ts"

/** What is asked for cannot be done. */
export class ProblemError extends Error {
    readonly problem: Problem

    /** `detail` where there is more to say than the words of the table. */
    constructor(code: ProblemCode, parameters: ProblemParameters = {}, detail?: string) {
        const problem = { code, ...parameters }
        super(detail ?? problemText(problem))
        this.problem = problem
    }
}
