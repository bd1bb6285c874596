import { readFileSync } from "node:fs"
import { createServer, type Server } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from "jose"
import { serverCertificate } from "../../../host/server-certificate.ts"
import { temporaryFolder } from "../../support/folder.ts"

export const clientId = "the-clinic"

/** A provider over real HTTPS that answers correctly, except for what a test tells it to say. Real ones do not lie. */
export class LyingProvider {
    readonly ca: string
    readonly issuer: string
    /** Of the next ID token, over the correct ones. */
    claims: JWTPayload = {}
    userInfo: JWTPayload = {}
    /** Whether it signs with the key that it publishes. */
    signsWith: "its key" | "another key" | "nothing" = "its key"
    /** Sent in place of what belongs there, by path. */
    readonly instead = new Map<string, { status?: number; body: string; headers?: Record<string, string> }>()
    /** Every request that came, by path. */
    readonly asked: { path: string; body: string; authorization: string | undefined }[] = []
    private readonly server: Server
    private readonly keys: { mine: CryptoKey; other: CryptoKey; jwk: object }

    private constructor(server: Server, ca: string, keys: LyingProvider["keys"]) {
        this.server = server
        this.ca = ca
        this.keys = keys
        this.issuer = `https://localhost:${(server.address() as AddressInfo).port}`
    }

    static async start(t: TestContext): Promise<LyingProvider> {
        const folder = temporaryFolder(t)
        const { cert, key } = await serverCertificate(folder, "localhost", Date.now())
        const [mine, other] = [await generateKeyPair("RS256"), await generateKeyPair("RS256")]
        const jwk = { ...(await exportJWK(mine.publicKey)), kid: "1", alg: "RS256", use: "sig" }
        const server = createServer({ cert, key })
        await new Promise<void>(resolve => server.listen(0, "localhost", resolve))
        const ca = readFileSync(join(folder, "ca.pem"), "utf8")
        const provider = new LyingProvider(server, ca, { mine: mine.privateKey, other: other.privateKey, jwk })
        server.on("request", (request, response) => {
            const path = request.url!.split("?")[0]!
            let body = ""
            request.setEncoding("utf8").on("data", (text: string) => (body += text))
            request.on("end", () => {
                provider.asked.push({ path, body, authorization: request.headers.authorization })
                void provider.answer(path).then(({ status = 200, headers, body }) => {
                    response.writeHead(status, { "content-type": "application/json", ...headers })
                    response.end(body)
                })
            })
        })
        t.after(() => provider.stop())
        return provider
    }

    async stop(): Promise<void> {
        this.server.closeAllConnections()
        await new Promise(resolve => this.server.close(resolve))
    }

    private async answer(path: string): Promise<{ status?: number; headers?: Record<string, string>; body: string }> {
        const instead = this.instead.get(path)
        if (instead) return instead
        switch (path) {
            case "/.well-known/openid-configuration":
                return { body: JSON.stringify(this.metadata()) }
            case "/jwks":
                return { body: JSON.stringify({ keys: [this.keys.jwk] }) }
            case "/token":
                return {
                    body: JSON.stringify({ access_token: "a", token_type: "Bearer", id_token: await this.idToken() }),
                }
            case "/userinfo":
                return { body: JSON.stringify(this.userInfo) }
        }
        return { status: 404, body: "{}" }
    }

    metadata(): Record<string, unknown> {
        const { issuer } = this
        return {
            issuer,
            ...{ authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` },
            ...{ jwks_uri: `${issuer}/jwks`, userinfo_endpoint: `${issuer}/userinfo` },
            ...{ end_session_endpoint: `${issuer}/end`, response_types_supported: ["code"] },
            ...{ subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"] },
            authorization_response_iss_parameter_supported: true,
        }
    }

    private async idToken(): Promise<string> {
        const now = Math.trunc(Date.now() / 1000)
        const claims = { iss: this.issuer, aud: clientId, iat: now, exp: now + 300, ...this.claims }
        if (this.signsWith === "nothing") {
            const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
            return `${part({ alg: "none" })}.${part(claims)}.`
        }
        const token = new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "1" })
        return await token.sign(this.signsWith === "its key" ? this.keys.mine : this.keys.other)
    }
}
