import { isConflict } from "./failure.ts"

/** Only a statement outside of any transaction can come between, so that few are enough. */
const maxAttempts = 10

/** The transactions of one process: one at a time, so that those that wait hold no connection, in the order in which they were asked for. */
export class Turns {
    private last: Promise<unknown> = Promise.resolve()

    /** Runs `attempt` when its turn comes, again where another one came between. */
    async take<T>(attempt: () => Promise<T>): Promise<T> {
        const turn = this.last.then(() => repeated(attempt))
        this.last = turn.catch(() => {})
        return await turn
    }
}

async function repeated<T>(attempt: () => Promise<T>): Promise<T> {
    for (let count = 1; ; count++)
        try {
            return await attempt()
        } catch (error) {
            if (!isConflict(error) || count === maxAttempts) throw error
        }
}
