// Mutual TLS: a clinic that takes envelopes only from routers with a certificate of its operator.
import "reflect-metadata"
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { createPrivateKey, webcrypto } from "node:crypto"
import { test } from "node:test"
import * as x509 from "@peculiar/x509"
import { checkClinic, httpsClinic } from "../../router/index.ts"
import { Service } from "./service.ts"
import { delivery } from "./support.ts"

x509.cryptoProvider.set(webcrypto as typeof globalThis.crypto)
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }

async function keyPair() {
    return await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
}

/** An authority, and how it makes certificates for clients. */
async function authority(name: string) {
    const keys = await keyPair()
    const own = await x509.X509CertificateGenerator.createSelfSigned({
        ...{ name: `CN=${name}`, keys, signingAlgorithm: algorithm },
        extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    })
    const issue = async (endsMs: number) => {
        const { publicKey, privateKey } = await keyPair()
        const certificate = await x509.X509CertificateGenerator.create({
            ...{ subject: "CN=router", issuer: own.subject, publicKey, signingKey: keys.privateKey },
            ...{ signingAlgorithm: algorithm, notBefore: new Date(0), notAfter: new Date(endsMs) },
            extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
        })
        const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey))
        const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" })
        return { cert: certificate.toString("pem"), key: key.export({ type: "pkcs8", format: "pem" }) as string }
    }
    return { pem: own.toString("pem"), issue }
}

test("with --router-ca a router needs a certificate of that authority beside its token; nobody else needs one", async t => {
    const [operator, stranger] = [await authority("operator"), await authority("stranger")]
    const service = await Service.start(undefined, { routerCa: operator.pem })
    t.after(() => service.close())
    const { mote } = await service.admit()
    const ca = readFileSync(service.running.caFile, "utf8")
    const { url } = service.running
    const tomorrow = Date.now() + 86_400_000
    const attempt = async (client?: { cert: string; key: string }, token = service.router) => {
        const link = httpsClinic({ url, ca, token, ...(client && { client }) })
        const envelope = delivery(mote.envelope(), Date.now())
        try {
            return (await link.deliver([envelope])).length
        } catch (error) {
            return (error as { status?: number }).status
        } finally {
            await link.close!()
        }
    }
    assert.equal(await attempt(), 403)
    assert.equal(await attempt(await stranger.issue(tomorrow)), 403)
    assert.equal(await attempt(await operator.issue(Date.now() - 1000)), 403)
    assert.equal(await attempt(await operator.issue(tomorrow), "wrong"), 401)
    assert.equal(await attempt(await operator.issue(tomorrow)), 1)
    assert.equal((await service.get("/api/ward")).status, 200, "a browser shows none")
    const [fault] = await checkClinic(httpsClinic({ url, ca, token: service.router }), url, "--clinic")
    assert.match(fault!, /--client-cert/)
    const client = await operator.issue(tomorrow)
    assert.deepEqual(await checkClinic(httpsClinic({ url, ca, token: service.router, client }), url, "--clinic"), [])
})
