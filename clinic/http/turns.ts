import type { FastifyRequest } from "fastify"
import { userFrom } from "./auth.ts"
import { ProblemError } from "../errors.ts"

/** A page of two hundred patients asks for that many charts at once. */
const maxWaiting = 500

/** For what costs the database much: an account's requests come one after the other, whatever the others ask for. */
export class Turns {
    /** By account: resolves when the last one that waits is done. */
    private readonly last = new Map<number, Promise<void>>()
    private readonly waiting = new Map<number, number>()

    /** Does `work` when it is its turn. Throws ProblemError where too many of the account wait, or nobody waits for it any more. */
    async take<T>(request: FastifyRequest, work: () => Promise<T>): Promise<T> {
        const account = userFrom(request).id
        const waiting = this.waiting.get(account) ?? 0
        if (waiting >= maxWaiting) throw new ProblemError("too-often")
        this.waiting.set(account, waiting + 1)
        let done!: () => void
        const before = this.last.get(account)
        const mine = new Promise<void>(resolve => (done = resolve))
        this.last.set(account, mine)
        try {
            await before
            if (request.raw.socket.destroyed) throw new ProblemError("bad-request")
            return await work()
        } finally {
            done()
            const left = this.waiting.get(account)! - 1
            if (left > 0) this.waiting.set(account, left)
            else this.waiting.delete(account)
            if (this.last.get(account) === mine) this.last.delete(account)
        }
    }
}
