import "reflect-metadata"
import { webcrypto } from "node:crypto"
import type { RequestListener } from "node:http"
import { createServer, type Server } from "node:https"
import type { AddressInfo } from "node:net"
import type { TestContext } from "node:test"
import * as x509 from "@peculiar/x509"

/** A certificate for localhost that signs itself, with its key, both PEM. */
export async function selfSigned(): Promise<{ cert: string; key: string }> {
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        name: "CN=localhost",
        notBefore: new Date(Date.now() - 3_600_000),
        notAfter: new Date(Date.now() + 3_600_000),
        signingAlgorithm: algorithm,
        keys,
        extensions: [
            new x509.BasicConstraintsExtension(true),
            new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }]),
        ],
    })
    const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)
    return { cert: certificate.toString("pem"), key: x509.PemConverter.encode(key, "PRIVATE KEY") }
}

/** An HTTPS server on a free port until the test ends. */
export async function serveHttps(
    t: TestContext,
    tls: { cert: string; key: string },
    listener: RequestListener,
): Promise<{ url: string; server: Server }> {
    const server = createServer(tls, listener)
    await new Promise<void>(resolve => server.listen(0, "localhost", resolve))
    t.after(() => {
        server.closeAllConnections()
        server.close()
    })
    return { url: `https://localhost:${(server.address() as AddressInfo).port}`, server }
}
