import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import * as age from "age-encryption"
import fc from "fast-check"
import { decrypt, encrypt } from "../../../clinic/backup/age.ts"
import { readTar, writeTar, type TarEntry } from "../../../clinic/backup/tar.ts"
import { UserError } from "../../../host/errors.ts"
import { temporaryFolder } from "../../support/folder.ts"

/** The least that scrypt takes: tests need no strength. */
const quick = 1

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const parts: Uint8Array[] = []
    for await (const part of source) parts.push(part)
    return Buffer.concat(parts)
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

const sizes = fc.oneof(fc.constantFrom(0, 1, 65535, 65536, 65537, 131072), fc.integer({ min: 0, max: 200_000 }))
const contents = sizes.map(size => Buffer.alloc(size, "0123456789abcdef-"))

test("age: what was encrypted is decrypted, in whatever pieces it comes", async () => {
    await fc.assert(
        fc.asyncProperty(contents, fc.string(), fc.integer({ min: 1, max: 100_000 }), async (plain, word, size) => {
            const sealed = await all(encrypt(pieces(plain, size), word, quick))
            assert.ok((await all(decrypt(pieces(sealed, size), word))).equals(plain))
        }),
        { numRuns: 30 },
    )
})

test("age: another implementation reads our files, and we read its", async () => {
    for (const size of [0, 1, 65536, 65537, 300_000]) {
        const plain = Buffer.alloc(size, "vitals ")
        const decrypter = new age.Decrypter()
        decrypter.addPassphrase("correct horse")
        const ours = await all(encrypt(pieces(plain, 4096), "correct horse", quick))
        assert.ok(Buffer.from(await decrypter.decrypt(ours)).equals(plain), `${size} bytes`)
        const encrypter = new age.Encrypter()
        encrypter.setScryptWorkFactor(quick)
        encrypter.setPassphrase("correct horse")
        const theirs = await encrypter.encrypt(plain)
        assert.ok((await all(decrypt(pieces(theirs, 1000), "correct horse"))).equals(plain), `${size} bytes`)
    }
})

test("age: a changed, cut or lengthened file, and another passphrase, are refused; nothing else is thrown", async () => {
    const plain = Buffer.alloc(70_000, "x")
    const sealed = await all(encrypt(pieces(plain, 4096), "right", quick))
    await assert.rejects(all(decrypt(pieces(sealed, 4096), "wrong")), /^UserError: the passphrase is wrong$/)
    const harm = fc.oneof(
        fc.record({ at: fc.nat(sealed.length - 1), bit: fc.nat(7) }).map(({ at, bit }) => {
            const changed = Buffer.from(sealed)
            changed[at]! ^= 1 << bit
            return changed
        }),
        fc.nat(sealed.length - 1).map(length => sealed.subarray(0, length)),
        fc.uint8Array({ minLength: 1, maxLength: 40 }).map(more => Buffer.concat([sealed, more])),
        fc.uint8Array({ maxLength: 2000 }).map(bytes => Buffer.from(bytes)),
    )
    await fc.assert(
        fc.asyncProperty(harm, async harmed => {
            await assert.rejects(all(decrypt(pieces(harmed, 4096), "right")), UserError)
        }),
        { numRuns: 200 },
    )
})

test("age: a file that would take more memory than any of ours is refused", async () => {
    const sealed = (await all(encrypt(pieces(Buffer.from("x"), 1), "right", quick))).toString("latin1")
    const greedy = Buffer.from(sealed.replace(/(scrypt \S+) 1\n/, "$1 22\n"), "latin1")
    await assert.rejects(all(decrypt(pieces(greedy, 4096), "right")), /no backup/)
})

const entry = (name: string, bytes: Buffer): TarEntry => ({ name, size: bytes.length, contents: pieces(bytes, 777) })

async function unpacked(archive: AsyncIterable<Uint8Array>): Promise<[string, Buffer][]> {
    const found: [string, Buffer][] = []
    for await (const { name, contents } of readTar(archive)) found.push([name, await all(contents)])
    return found
}

test("tar: what was packed is unpacked", async () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9/.-]{0,80}$/)
    await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(name, contents), { maxLength: 4 }), async files => {
            const archive = writeTar(
                files.map(([name, bytes]) => entry(name, bytes)),
                1,
            )
            assert.deepEqual(await unpacked(archive), files)
        }),
        { numRuns: 20 },
    )
})

test("tar: garbage and what was cut off are refused; nothing else is thrown", async () => {
    const archive = await all(writeTar([entry("a", Buffer.alloc(1000)), entry("b", Buffer.alloc(0))], 1))
    for (const length of [0, 1, 512, 1000, 2047, archive.length - 1025])
        await assert.rejects(unpacked(pieces(archive.subarray(0, length), 300)), UserError, `${length} bytes`)
    await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async bytes => {
            await unpacked(pieces(bytes, 300)).catch((error: unknown) => assert.ok(error instanceof UserError))
        }),
    )
})

test("tar: the system's tar reads our archives, and we read its", async t => {
    const folder = temporaryFolder(t)
    const bytes = Buffer.alloc(100_000, "reading ")
    writeFileSync(
        join(folder, "ours.tar"),
        await all(writeTar([entry("clinic/a.db", bytes), entry("b", bytes)], 86_400)),
    )
    const tar = spawnSync("tar", ["-xf", "ours.tar"], { cwd: folder })
    if (tar.error) return t.skip("needs tar: whether it reads ours was NOT tried")
    assert.equal(tar.status, 0, String(tar.stderr))
    assert.ok(readFileSync(join(folder, "clinic/a.db")).equals(bytes))
    mkdirSync(join(folder, "in"))
    writeFileSync(join(folder, "in/c"), bytes)
    assert.equal(spawnSync("tar", ["--format=ustar", "-cf", "theirs.tar", "in/c"], { cwd: folder }).status, 0)
    const theirs = readFileSync(join(folder, "theirs.tar"))
    assert.deepEqual(await unpacked(pieces(theirs, 10_000)), [["in/c", bytes]])
})

test("tar: sizes beyond 8 GiB", async () => {
    const size = 9 * 2 ** 30
    const written = writeTar([{ name: "large", size, contents: pieces(Buffer.alloc(1), 1) }], 1)
    const { value } = (await written.next()) as { value: Uint8Array }
    for await (const found of readTar(pieces(value, 512))) {
        assert.equal(found.size, size)
        break
    }
})
