import assert from "node:assert/strict"
import { chmodSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import fc from "fast-check"
import { UserError } from "../../../host/errors.ts"
import { isOne, readClinics } from "../../../router/index.ts"
import { temporaryFolder } from "../../support/folder.ts"

const one = { url: "https://north.example", token: "sesame-of-north" }

test("the file of clinics: paths are relative to it; it is for its owner alone", t => {
    const folder = temporaryFolder(t)
    const file = join(folder, "clinics.json")
    const write = (value: unknown) =>
        writeFileSync(file, typeof value === "string" ? value : JSON.stringify(value), { mode: 0o600 })
    write({ north: { ...one, ca: "north.pem", motes: ["70b3d5*"] }, south: { ...one, motes: ["0000000000000001"] } })
    assert.deepEqual(readClinics(file), [
        { name: "north", ...one, motes: ["70b3d5*"], ca: join(folder, "north.pem") },
        { name: "south", ...one, motes: ["0000000000000001"] },
    ])
    for (const bad of [
        ...["{", "[]", {}, { north: {} }, { "no name": one }, { north: { ...one, url: "http://north.example" } }],
        { north: { ...one, motes: ["70B3"] } },
        { north: { ...one, colour: "blue" } },
        { north: { ...one, motes: ["70b3*"] }, south: { ...one, motes: ["70b3d50000000001"] } },
        { north: { ...one, motes: ["*"] }, south: { ...one, motes: ["70*"] } },
        Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`n${i}`, one])),
    ]) {
        write(bad)
        assert.throws(
            () => readClinics(file),
            (error: unknown) => error instanceof UserError && !error.message.includes("sesame"),
            JSON.stringify(bad),
        )
    }
    write({ north: one })
    chmodSync(file, 0o640)
    assert.throws(() => readClinics(file), /others than its owner can read it: chmod 600/)
    assert.throws(() => readClinics(join(folder, "none.json")), UserError)
})

test("two lists are refused exactly if a mote is in both", t => {
    const folder = temporaryFolder(t)
    const file = join(folder, "clinics.json")
    const digit = fc.constantFrom("0", "1")
    const entry = fc.oneof(
        fc.string({ unit: digit, maxLength: 3 }).map(text => `${text}*`),
        fc.string({ unit: digit, minLength: 16, maxLength: 16 }),
    )
    fc.assert(
        fc.property(fc.array(entry, { minLength: 1, maxLength: 3 }), entry, (north, south) => {
            writeFileSync(
                file,
                JSON.stringify({ north: { ...one, motes: north }, south: { ...one, motes: [south] } }),
                {
                    mode: 0o600,
                },
            )
            // Motes that are in a list: its own names, with zeros behind a beginning.
            const some = [...north, south].map(text => text.replace("*", "").padEnd(16, "0"))
            const isBoth = some.some(eui => isOne(north, eui) && isOne([south], eui))
            if (isBoth) assert.throws(() => readClinics(file), /a mote has one clinic/)
            else assert.equal(readClinics(file).length, 2)
        }),
    )
})
