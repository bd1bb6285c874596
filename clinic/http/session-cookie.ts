import type { CookieSerializeOptions } from "@fastify/cookie"
import type { FastifyReply } from "fastify"
import { kindOf, type Role } from "../people/permissions.ts"
import { sessionMaxMs } from "../people/sessions.ts"

/** As long as browsers keep a cookie (RFC 6265bis §5.5). */
const cookieMaxMs = 400 * 86_400_000

/** A cookie that only the clinic sees. */
export interface KeptCookie {
    name: string
    options: CookieSerializeOptions
}

/**
 * The prefix makes browsers insist on Secure, no Domain and the path `/`. Where a proxy shows the clinic under a path, what else it shows
 * does not get the cookie; browsers then insist on Secure only (RFC 6265bis §4.1.3).
 * @param sameSite `lax` for one that has to come along when another site sends the browser here
 */
export function cookieFor(path: string, name: string, sameSite: "strict" | "lax" = "strict"): KeptCookie {
    const options = { httpOnly: true, secure: true, sameSite } as const
    return path === ""
        ? { name: `__Host-${name}`, options: { ...options, path: "/" } }
        : { name: `__Secure-${name}`, options: { ...options, path: `${path}/` } }
}

/** Gives a browser its session. */
export function keepSession(reply: FastifyReply, kept: KeptCookie, { role }: { role: Role }, session: string): void {
    const maxAge = (kindOf(role).sessionEnds ? sessionMaxMs : cookieMaxMs) / 1000
    reply.setCookie(kept.name, session, { ...kept.options, maxAge })
}
