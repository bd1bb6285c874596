import type { X509Certificate as Certificate } from "@peculiar/x509"
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from "node:crypto"
import { isIP } from "node:net"
import { hostname, networkInterfaces } from "node:os"
import { join } from "node:path"
import { UserError } from "./errors.ts"
import { readIfThere, writeDurably } from "./files.ts"

/** Whose certificate it is; named in it for people. */
export type Service = "clinic" | "router"

/** PEM; what node:tls takes. */
export interface ServerCertificate {
    cert: string
    key: string
}

const dayMs = 86_400_000
/**
 * An authority holds whatever the clock of a first start says, and clients keep it: from before any of them, without an end
 * (RFC 5280 §4.1.2.5).
 */
const authorityValidity = { notBefore: new Date("2020-01-01"), notAfter: new Date("9999-12-31T23:59:59Z") }
/** Browsers accept 397 days in all. A client whose clock is behind by some days takes a new certificate, too. */
const serverDays = 367
const backdatedDays = 30
const renewBeforeDays = 30

const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
/** A certificate goes with every handshake. */
const maxHosts = 32
const secretMode = 0o600
const publicMode = 0o644

/**
 * The server's certificate out of the data folder, made on the first start with a certificate authority of its own:
 * `ca.pem` for the clients, `ca-key.pem`, and `server.pem` (certificate and key). It is made anew where it is not valid at
 * `now` (unix ms), ends within 30 days, or does not name `host` and `names`; for a host that stands for every address, all that
 * this machine has. Throws UserError for files that cannot be used.
 */
export async function serverCertificate(
    data: string,
    host: string,
    now: number,
    names: readonly string[] = [],
    service: Service = "clinic",
): Promise<ServerCertificate> {
    const outside = isWildcard(host) ? [hostname(), ...addresses()] : [host]
    const hosts = [...new Set(["localhost", "127.0.0.1", "::1", ...names, ...outside])].slice(0, maxHosts)

    const caFile = join(data, "ca.pem")
    const caPem = readIfThere(caFile)?.toString()
    if (caPem === undefined) return await makeServer(data, await makeAuthority(data, service), { hosts, now, service })
    const authority = parse(caFile, caPem)
    if (Date.parse(authority.validTo) < now)
        throw new UserError(`${caFile} has expired: remove it to make a new one for all clients`)
    return (
        usableServer(data, authority, hosts, now) ??
        (await makeServer(data, await readAuthority(data, authority), { hosts, now, service }))
    )
}

/** Those of this machine; link-local ones mean nothing without their interface. */
function addresses(): string[] {
    const all = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? [])
    return all.map(({ address }) => address).filter(address => isIP(address) && !address.startsWith("fe80:"))
}

/** Whether this listens on every address. */
export function isWildcard(host: string): boolean {
    return host === "0.0.0.0" || host === "::"
}

function parse(file: string, pem: string): X509Certificate {
    try {
        return new X509Certificate(pem)
    } catch {
        throw new UserError(`${file} is not a certificate: remove it to have a new one made`)
    }
}

/** The stored certificate where it still serves. */
function usableServer(
    data: string,
    authority: X509Certificate,
    hosts: string[],
    now: number,
): ServerCertificate | undefined {
    const pem = readIfThere(join(data, "server.pem"))?.toString()
    try {
        const certificate = new X509Certificate(pem ?? "")
        const usable =
            certificate.verify(authority.publicKey) &&
            certificate.checkPrivateKey(createPrivateKey(pem ?? "")) &&
            Date.parse(certificate.validFrom) <= now &&
            Date.parse(certificate.validTo) - now > renewBeforeDays * dayMs &&
            hosts.every(host => (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)))
        return usable ? { cert: pem!, key: pem! } : undefined
    } catch {
        return undefined // a new one costs nothing
    }
}

interface Authority {
    certificate: Certificate
    key: webcrypto.CryptoKey
}

async function makeAuthority(data: string, service: Service): Promise<Authority> {
    const x509 = await library()
    const keys = await webcrypto.subtle.generateKey(ecdsa, true, ["sign", "verify"])
    const name = `CN=VitalMote ${service} ${randomBytes(4).toString("hex")}`
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        ...authorityValidity,
        name,
        keys,
        signingAlgorithm: ecdsa,
        extensions: [
            new x509.BasicConstraintsExtension(true, 0, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
            await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
    })
    // In this order: a ca.pem without its key would be of no use.
    writeDurably(join(data, "ca-key.pem"), await privatePem(keys.privateKey), secretMode)
    writeDurably(join(data, "ca.pem"), certificate.toString("pem") + "\n", publicMode)
    return { certificate, key: keys.privateKey }
}

async function readAuthority(data: string, authority: X509Certificate): Promise<Authority> {
    const file = join(data, "ca-key.pem")
    const pem = readIfThere(file)?.toString() ?? ""
    try {
        const key = createPrivateKey(pem)
        if (!authority.checkPrivateKey(key)) throw new Error("another key")
        const der = key.export({ type: "pkcs8", format: "der" })
        const x509 = await library()
        return {
            certificate: new x509.X509Certificate(authority.raw),
            key: await webcrypto.subtle.importKey("pkcs8", der, ecdsa, false, ["sign"]),
        }
    } catch {
        throw new UserError(
            `${file} is not the key of ca.pem: restore it, or remove both to make new ones for all clients`,
        )
    }
}

async function makeServer(
    data: string,
    authority: Authority,
    { hosts, now, service }: { hosts: string[]; now: number; service: Service },
): Promise<ServerCertificate> {
    const x509 = await library()
    const keys = await webcrypto.subtle.generateKey(ecdsa, true, ["sign", "verify"])
    const certificate = await x509.X509CertificateGenerator.create({
        notBefore: new Date(now - backdatedDays * dayMs),
        notAfter: new Date(now + serverDays * dayMs),
        subject: `CN=VitalMote ${service}`,
        issuer: authority.certificate.subject,
        publicKey: keys.publicKey,
        signingKey: authority.key,
        signingAlgorithm: ecdsa,
        extensions: [
            new x509.BasicConstraintsExtension(false, undefined, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
            new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
            await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
            new x509.SubjectAlternativeNameExtension(hosts.map(value => ({ type: isIP(value) ? "ip" : "dns", value }))),
        ],
    })
    const pem = `${certificate.toString("pem")}\n${await privatePem(keys.privateKey)}`
    writeDurably(join(data, "server.pem"), pem, secretMode)
    return { cert: pem, key: pem }
}

/** Loaded when something is to be signed only: it takes a quarter of a second. It relies on the polyfill being there. */
async function library() {
    await import("reflect-metadata")
    return await import("@peculiar/x509")
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
    const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key))
    const lines = der.toString("base64").match(/.{1,64}/g)!
    return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`
}
