import { createCipheriv, createDecipheriv, createHmac, hkdf, randomBytes, scrypt, timingSafeEqual } from "node:crypto"
import { promisify } from "node:util"
import { UserError } from "../../host/errors.ts"
import { ByteReader } from "./byte-reader.ts"

/*
 * Files of the age format, version 1 (https://age-encryption.org/v1, C2SP), with one recipient: a passphrase. Others can read them with
 * `age --decrypt`, without this program. A file has a key of its own, which scrypt wraps; its contents are chunks of 64 KiB, each
 * authenticated together with its number and whether it is the last.
 */

const version = "age-encryption.org/v1"
const fileKeyBytes = 16
const saltBytes = 16
const nonceBytes = 16
const tagBytes = 16
const chunkBytes = 64 * 1024
/** 2^17 with r = 8: 128 MiB and half a second for each guess. */
const usualWorkFactor = 17
/** A file that was made by an enemy may not take all of the memory: 1 GiB. */
const maxWorkFactor = 20
const maxHeaderBytes = 1024
const noNonce = Buffer.alloc(12)
const algorithm = "chacha20-poly1305"
const authTagLength = { authTagLength: tagBytes }

/**
 * @param workFactor log2 of the iterations of scrypt
 */
export async function* encrypt(
    source: AsyncIterable<Uint8Array>,
    passphrase: string,
    workFactor = usualWorkFactor,
): AsyncGenerator<Buffer> {
    const fileKey = randomBytes(fileKeyBytes)
    const salt = randomBytes(saltBytes)
    const wrap = createCipheriv(algorithm, await wrapKey(passphrase, salt, workFactor), noNonce, authTagLength)
    const wrapped = Buffer.concat([wrap.update(fileKey), wrap.final(), wrap.getAuthTag()])
    const header = `${version}\n-> scrypt ${base64(salt)} ${workFactor}\n${base64(wrapped)}\n---`
    const nonce = randomBytes(nonceBytes)
    yield Buffer.concat([Buffer.from(`${header} ${base64(await headerMac(fileKey, header))}\n`), nonce])
    const key = await derive(fileKey, nonce, "payload")
    for await (const { chunk, number, isLast } of chunks(new ByteReader(source), chunkBytes)) {
        const cipher = createCipheriv(algorithm, key, chunkNonce(number, isLast), authTagLength)
        yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()])
    }
}

/** @throws UserError for a wrong passphrase, and for what is no such file, damaged or cut off */
export async function* decrypt(source: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Buffer> {
    const reader = new ByteReader(source)
    const { salt, workFactor, wrapped, header, mac } = parseHeader(await readHeader(reader))
    const unwrap = createDecipheriv(algorithm, await wrapKey(passphrase, salt, workFactor), noNonce, authTagLength)
    const fileKey = opened(unwrap, wrapped)
    if (!fileKey) throw new UserError("the passphrase is wrong")
    if (!timingSafeEqual(await headerMac(fileKey, header), mac)) throw damaged()
    const nonce = await reader.read(nonceBytes)
    if (nonce.length < nonceBytes) throw damaged()
    const key = await derive(fileKey, nonce, "payload")
    for await (const { chunk, number, isLast } of chunks(reader, chunkBytes + tagBytes)) {
        const plain = opened(createDecipheriv(algorithm, key, chunkNonce(number, isLast), authTagLength), chunk)
        if (!plain || (plain.length === 0 && number > 0)) throw damaged()
        yield plain
    }
}

function damaged(): UserError {
    return new UserError("the backup is damaged or incomplete")
}

/** Undefined where key or bytes are others. */
function opened(decipher: ReturnType<typeof createDecipheriv>, sealed: Uint8Array): Buffer | undefined {
    const tagAt = sealed.length - tagBytes
    if (tagAt < 0) return undefined
    try {
        ;(decipher as unknown as { setAuthTag(tag: Uint8Array): void }).setAuthTag(sealed.subarray(tagAt))
        return Buffer.concat([decipher.update(sealed.subarray(0, tagAt)), decipher.final()])
    } catch {
        return undefined
    }
}

/** From the first byte to the line that starts with `---`. */
async function readHeader(reader: ByteReader): Promise<string> {
    let header = ""
    while (header.length < maxHeaderBytes && !/\n--- [^\n]*\n$/.test(header)) {
        const byte = await reader.read(1)
        if (byte.length === 0) break
        header += byte.toString("latin1")
    }
    return header
}

function parseHeader(text: string) {
    const form =
        /^(age-encryption\.org\/v1\n-> scrypt ([A-Za-z0-9+/]{22}) ([1-9]\d?)\n([A-Za-z0-9+/]{43})\n---) ([A-Za-z0-9+/]{43})\n$/
    const [, header, salt, factor, wrapped, mac] = form.exec(text) ?? []
    const workFactor = Number(factor)
    if (header === undefined || workFactor > maxWorkFactor)
        throw new UserError("it is no backup that was encrypted with a passphrase")
    const bytes = (text = "") => Buffer.from(text, "base64")
    return { header, workFactor, salt: bytes(salt), wrapped: bytes(wrapped), mac: bytes(mac) }
}

async function wrapKey(passphrase: string, salt: Uint8Array, workFactor: number): Promise<Buffer> {
    const [N, r] = [2 ** workFactor, 8]
    const derived: (p: string, s: Uint8Array, length: number, o: object) => Promise<unknown> = promisify(scrypt)
    const options = { N, r, p: 1, maxmem: 128 * r * (N + 16) }
    return (await derived(
        passphrase.normalize("NFC"),
        Buffer.concat([Buffer.from(`${version}/scrypt`), salt]),
        32,
        options,
    )) as Buffer
}

async function headerMac(fileKey: Uint8Array, header: string): Promise<Buffer> {
    const key = await derive(fileKey, new Uint8Array(), "header")
    return createHmac("sha256", key).update(header).digest()
}

async function derive(fileKey: Uint8Array, salt: Uint8Array, info: string): Promise<Buffer> {
    return Buffer.from(await promisify(hkdf)("sha256", fileKey, salt, info, 32))
}

/** The number of the chunk, and 1 for the last one. */
function chunkNonce(number: number, isLast: boolean): Buffer {
    const nonce = Buffer.alloc(12)
    nonce.writeUIntBE(number, 5, 6)
    nonce[11] = isLast ? 1 : 0
    return nonce
}

/** Pieces of `size` bytes; the last one may be shorter, and is empty only where there is nothing at all. */
async function* chunks(reader: ByteReader, size: number) {
    let chunk = await reader.read(size)
    for (let number = 0; ; number++) {
        const next = chunk.length < size ? Buffer.alloc(0) : await reader.read(size)
        const isLast = next.length === 0
        yield { chunk, number, isLast }
        if (isLast) return
        chunk = next
    }
}

function base64(bytes: Uint8Array): string {
    return Buffer.from(bytes).toString("base64").replaceAll("=", "")
}
