import { callbackPath, Provider } from "../../clinic/index.ts"
import { realClock } from "../../host/clock.ts"
import { silentLog } from "../../host/log.ts"
import { complaints } from "../../host/check.ts"
import { UserError } from "../../host/errors.ts"
import { signInFrom, type OpenIdFlags } from "../openid-options.ts"

/** Whether the sign-in provider answers as it should, and what has to be registered there. */
export async function checkSignIn(
    o: OpenIdFlags & { host: string; httpsPort: number; baseUrl?: string },
): Promise<{ faults: string[]; notes: string[] }> {
    const notes: string[] = []
    const faults = await complaints(async () => {
        const { openid } = signInFrom(o, o)
        if (!openid) return
        const base = o.baseUrl?.replace(/\/$/, "") ?? `https://${o.host}:${o.httpsPort}`
        notes.push(`to be registered at ${openid.name}: the redirect URI ${base}${callbackPath}`)
        notes.push(`and, for signing out there, the post-logout redirect URI ${base}/`)
        try {
            await new Provider(openid, { clock: realClock, log: silentLog }).discover()
        } catch (error) {
            throw new UserError(`--openid-issuer ${openid.issuer}: ${(error as Error).message}`, 2)
        }
    })
    return { faults, notes }
}
