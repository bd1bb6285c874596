import { Type } from "@sinclair/typebox"
import type {
    AuthenticationResponseJSON,
    PublicKeyCredentialCreationOptionsJSON,
    PublicKeyCredentialRequestOptionsJSON,
    RegistrationResponseJSON,
} from "@simplewebauthn/server"
import type { FastifyReply, FastifyRequest } from "fastify"
import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import { relyingParty, type RelyingParty } from "../sign-in/passkeys.ts"
import { sealedMs } from "../sign-in/sealed.ts"
import { cookieFor, type KeptCookie } from "./session-cookie.ts"

const Asked = Type.Object({ challenge: Type.String() })
const AskedOf = Type.Object({ challenge: Type.String(), account: Type.Integer() })

/** Challenges for passkeys, and the answers to them. A challenge is in a cookie until it is answered, once. */
export class PasskeyAnswers {
    private readonly clinic: Clinic
    private readonly base: () => string
    private readonly cookie: KeptCookie

    /** @param o.base where browsers see the clinic */
    constructor(o: { clinic: Clinic; base: () => string; path: string }) {
        this.clinic = o.clinic
        this.base = o.base
        this.cookie = cookieFor(o.path, "passkey")
    }

    /** Where passkeys work; null where they cannot. */
    get origin(): string | null {
        return relyingParty(this.base())?.origin ?? null
    }

    async askToSignIn(reply: FastifyReply): Promise<PublicKeyCredentialRequestOptionsJSON> {
        const options = await this.clinic.passkeys.beginSignIn(this.party())
        this.keep(reply, "passkey", { challenge: options.challenge })
        return options
    }

    async askToRegister(
        reply: FastifyReply,
        account: { id: number; name: string },
    ): Promise<PublicKeyCredentialCreationOptionsJSON> {
        const options = await this.clinic.passkeys.beginRegistration(account, this.party())
        this.keep(reply, "new passkey", { challenge: options.challenge, account: account.id })
        return options
    }

    /** The account whose passkey has answered. Throws ProblemError for anything else. */
    async accountOf(
        request: FastifyRequest,
        reply: FastifyReply,
        response: AuthenticationResponseJSON,
    ): Promise<number> {
        const asked = this.clinic.sealed.open("passkey", Asked, this.taken(request, reply))
        if (!asked) throw new ProblemError("sign-in-over")
        const { challenge } = asked
        const account = await this.clinic.passkeys.verify(response, { challenge, party: this.party() })
        if (account === undefined) throw new ProblemError("bad-passkey")
        return account
    }

    /** A new passkey's id. Throws ProblemError. */
    async register(
        request: FastifyRequest,
        reply: FastifyReply,
        o: { account: number; name: string; response: RegistrationResponseJSON },
    ): Promise<number> {
        const asked = this.clinic.sealed.open("new passkey", AskedOf, this.taken(request, reply))
        if (asked?.account !== o.account) throw new ProblemError("sign-in-over")
        const { challenge } = asked
        return await this.clinic.passkeys.register(o.account, o.response, {
            ...{ name: o.name, challenge, party: this.party() },
        })
    }

    private party(): RelyingParty {
        const party = relyingParty(this.base())
        if (!party) throw new ProblemError("no-passkeys-here")
        return party
    }

    private keep(reply: FastifyReply, kind: string, value: object): void {
        const { name, options } = this.cookie
        reply.setCookie(name, this.clinic.sealed.seal(kind, value), { ...options, maxAge: sealedMs / 1000 })
    }

    private taken(request: FastifyRequest, reply: FastifyReply): string | undefined {
        const { name, options } = this.cookie
        reply.clearCookie(name, options)
        return request.cookies[name]
    }
}
