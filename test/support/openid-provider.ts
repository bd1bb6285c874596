import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import type { TestContext } from "node:test"
import Provider from "oidc-provider"
import { serverCertificate } from "../../host/server-certificate.ts"
import { temporaryFolder } from "./folder.ts"

/** Who can sign in, with any password: the claims by login. */
export type People = Readonly<Record<string, Readonly<Record<string, string | string[]>>>>

/** A real provider of OpenID Connect over HTTPS, with its own pages for login and consent. */
export async function startOpenIdProvider(
    t: TestContext,
    { people, client }: { people: People; client: { id: string; secret: string; home: string } },
): Promise<{ issuer: string; ca: string }> {
    const folder = temporaryFolder(t)
    const { cert, key } = await serverCertificate(folder, "localhost", Date.now())
    const server = createServer({ cert, key })
    await new Promise<void>(resolve => server.listen(0, "localhost", resolve))
    t.after(async () => {
        server.closeAllConnections()
        await new Promise(resolve => server.close(resolve))
    })
    const issuer = `https://localhost:${(server.address() as AddressInfo).port}`
    const provider = new Provider(issuer, {
        clients: [
            {
                ...{ client_id: client.id, client_secret: client.secret },
                redirect_uris: [`${client.home}/openid/callback`],
                post_logout_redirect_uris: [`${client.home}/`],
            },
        ],
        claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
        findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
        pkce: { required: () => true },
        cookies: { keys: ["a key for the cookies of a test"] },
    })
    server.on("request", (request, response) => void provider.callback()(request, response))
    return { issuer, ca: readFileSync(join(folder, "ca.pem"), "utf8") }
}
