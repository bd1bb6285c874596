import type { FastifyRequest } from "fastify"
import { elapsedMs, type Clock } from "../../host/clock.ts"
import { networkOf } from "../../host/network-of.ts"
import type { ProblemCode } from "../../wire/tables/problems.ts"
import { Looks } from "../audit/looks.ts"
import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import type { User } from "../people/accounts.ts"
import type { SignInWay } from "../people/sign-in-ways.ts"

/** Steps on the way, where nobody has failed. */
const notYet: readonly ProblemCode[] = ["needs-code"]

/** Sign-ins in the audit record, whatever they are made with. */
export class SignInRecord {
    private readonly clinic: Clinic
    private readonly clock: Clock
    private readonly looks = new Looks()

    constructor(clinic: Clinic, clock: Clock) {
        this.clinic = clinic
        this.clock = clock
    }

    /**
     * Somebody tries to come in: what became of it is in the record before there is an answer.
     * @param name of the account that is meant, where that is known: what somebody types there may be anything, also a password, so only
     * the name of an account is recorded
     */
    async of<T extends { user: User; session: string } | undefined>(
        request: FastifyRequest,
        { way, name }: { way: SignInWay; name?: string },
        attempt: () => Promise<T>,
    ): Promise<T> {
        try {
            const begun = await attempt()
            if (begun) await this.note(request, { way, account: begun.user })
            else await this.refused(request, { way, name, problem: "bad-credentials" })
            return begun
        } catch (error) {
            if (error instanceof ProblemError && !notYet.includes(error.problem.code))
                await this.refused(request, { way, name, problem: error.problem.code })
            throw error
        }
    }

    /** Who tries again and again is not listed each time. */
    private async refused(
        request: FastifyRequest,
        { way, name, problem }: { way: SignInWay; name: string | undefined; problem: ProblemCode },
    ): Promise<void> {
        const account = name === undefined ? undefined : await this.clinic.accounts.byName(name)
        const key = JSON.stringify([account?.id, networkOf(request.ip), way, problem])
        const { counting } = this.looks.refuse({ key, patients: [], at: elapsedMs(this.clock), shift: "" })
        if (counting) await this.note(request, { way, account, problem })
    }

    private async note(
        request: FastifyRequest,
        o: { way: SignInWay; account: Pick<User, "id" | "name" | "role"> | undefined; problem?: ProblemCode },
    ): Promise<void> {
        const { way, account, problem } = o
        const { audit } = this.clinic
        const event = {
            ...{ at: this.clinic.now(), account: account?.id ?? null, user: account?.name ?? null },
            ...{ role: account?.role ?? null, credential: null, address: request.ip, patients: [] },
            ...({ subject: "clinic", action: "sign-in", outcome: problem === undefined ? "done" : "refused" } as const),
            request: `${request.method} ${request.url.split("?")[0]!}`.slice(0, 200),
            detail: { way, ...(problem !== undefined && { problem }) },
        }
        await audit.record([event]).catch(() => audit.keep([event]))
    }
}
