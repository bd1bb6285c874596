import { Refused } from "./api.ts"
import type { Problem, ProblemCode } from "../../wire/tables/problems.ts"

/**
 * Sends something that the clinic may want to have confirmed: asks the user each question that it has, and sends it again. Undefined
 * where the user does not confirm.
 * @param questions by the code of the problem
 */
export async function asking<Code extends ProblemCode, T>(
    send: (confirmed: Code[]) => Promise<T>,
    questions: Record<Code, (problem: Problem) => string>,
): Promise<T | undefined> {
    const confirmed: Code[] = []
    for (;;)
        try {
            return await send(confirmed)
        } catch (error) {
            const problem = error instanceof Refused ? error.problem : undefined
            if (!problem || !Object.hasOwn(questions, problem.code)) throw error
            const code = problem.code as Code
            // It was confirmed already: asking again would never end.
            if (confirmed.includes(code)) throw error
            if (!confirm(questions[code](problem))) return undefined
            confirmed.push(code)
        }
}
