import { createPrivateKey, X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { fileError, UserError } from "./errors.ts"

/** A certificate chain, the server's own certificate first, and its private key, both PEM. */
export interface KeyPair {
    cert: string
    key: string
}

/** Files of a server's certificate, PEM. */
export interface CertificateFiles {
    /** The certificate and its chain, the server's own first. */
    cert: string
    /** The private key; may be the same file. */
    key: string
}

/** What is wrong with a certificate's time at `now`, unix ms. */
export function timeFault(cert: string, now: number): string | undefined {
    const { validFrom, validTo } = new X509Certificate(cert)
    if (Date.parse(validFrom) > now) return `it is not valid before ${validFrom}`
    if (Date.parse(validTo) <= now) return `it ended ${validTo}`
    return undefined
}

/** Reads a certificate and its key. Throws UserError where they cannot be read, or do not belong together. */
export function readCertificate({ cert: certFile, key: keyFile }: CertificateFiles): KeyPair {
    const [cert, key] = [readText(certFile), readText(keyFile)]
    const parsed = parse(certFile, "a certificate in PEM", () => new X509Certificate(cert))
    const secret = parse(keyFile, "a private key in PEM without a passphrase", () => createPrivateKey(key))
    if (!parsed.checkPrivateKey(secret)) throw new UserError(`${keyFile} is not the key of ${certFile}`)
    return { cert, key }
}

/** Reads certificates of authorities. Throws UserError where they cannot be read, or are none. */
export function readAuthorities(file: string): string {
    const text = readText(file)
    parse(file, "a certificate in PEM", () => new X509Certificate(text))
    return text
}

function readText(file: string): string {
    try {
        return readFileSync(file, "utf8")
    } catch (error) {
        throw fileError(file, error)
    }
}

function parse<T>(file: string, what: string, read: () => T): T {
    try {
        return read()
    } catch {
        throw new UserError(`${file} is not ${what}`)
    }
}
