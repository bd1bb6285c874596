import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { ProblemError } from "../../../clinic/errors.ts"
import { givenRoles, hasTwoFactors, roleOf, userNameOf, wardsOf } from "../../../clinic/sign-in/claims.ts"
import { Sealed } from "../../../clinic/sign-in/sealed.ts"
import { Vault } from "../../../clinic/motes/vault.ts"
import { Type } from "@sinclair/typebox"
import { randomBytes } from "node:crypto"
import { ManualClock } from "../../support/clock.ts"

const rules = {
    ...{ userClaim: "name", roleClaim: "groups", wardClaim: "wards" },
    roles: givenRoles.map(role => ({ role, value: `is ${role}` })),
    wards: [{ ward: "3", value: "three" }],
    ...{ trustedAmr: ["mfa"], trustedAcr: ["high"] },
}
/** Anything that JSON can say, often near what is meant. */
const claim = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(...rules.roles.map(({ value }) => value), "three", "mfa", "high"),
    fc.array(fc.constantFrom(...rules.roles.map(({ value }) => value), "three", "mfa", "cooks")),
)
const claims = fc.record({ groups: claim, wards: claim, amr: claim, acr: claim, name: claim }, { requiredKeys: [] })

test("claims of any shape give a role that one of their texts stands for, or none", () => {
    fc.assert(
        fc.property(claims, claims => {
            const texts = [claims.groups].flat()
            try {
                const role = roleOf(claims, rules)
                assert.ok(texts.includes(`is ${role}`))
                assert.equal(new Set(texts.filter(text => rules.roles.some(({ value }) => value === text))).size, 1)
            } catch (error) {
                if (!(error instanceof ProblemError)) throw error
            }
            assert.deepEqual(wardsOf(claims, rules), [claims.wards].flat().includes("three") ? ["3"] : [])
            const isTrusted = [claims.amr].flat().includes("mfa") || claims.acr === "high"
            assert.equal(hasTwoFactors(claims, rules), isTrusted)
            const name = userNameOf(claims, "name")
            assert.ok(name === undefined || (name === claims.name && name.length <= 100 && !/\p{Cc}/u.test(name)))
        }),
    )
})

test("what Object has by itself is no claim, and an e-mail address counts once it was verified", () => {
    for (const name of ["constructor", "__proto__", "toString"]) assert.equal(userNameOf({}, name), undefined)
    assert.equal(userNameOf({ email: "a@b.example" }, "email"), undefined)
    assert.equal(userNameOf({ email: "a@b.example", email_verified: "true" }, "email"), undefined)
    assert.equal(userNameOf({ email: "a@b.example", email_verified: true }, "email"), "a@b.example")
    assert.deepEqual(givenRoles, ["doctor", "nurse", "administrator"])
})

test("what a browser keeps is opened for its purpose, by its key, for ten minutes, and never where a bit is another", () => {
    const clock = new ManualClock()
    const vault = new Vault(randomBytes(32), randomBytes)
    const sealed = new Sealed(vault.derived("sign-in"), clock)
    const schema = Type.Object({ a: Type.String() })
    const text = sealed.seal("begun", { a: "x" })
    const open = (text: string | undefined, kind = "begun", by = sealed) => by.open(kind, schema, text)
    assert.deepEqual(open(text), { a: "x" })
    assert.equal(open(text, "code"), undefined)
    assert.equal(open(text, "begun", new Sealed(vault, clock)), undefined)
    assert.equal(open(undefined), undefined)
    assert.equal(sealed.open("begun", Type.Object({ b: Type.String() }), text), undefined)
    const bytes = Buffer.from(text, "base64url")
    fc.assert(
        fc.property(fc.nat(bytes.length * 8 - 1), bit => {
            const changed = Buffer.from(bytes)
            changed[bit >> 3]! ^= 1 << (bit & 7)
            assert.equal(open(changed.toString("base64url")), undefined)
        }),
    )
    fc.assert(fc.property(fc.string(), any => open(any) === undefined))
    clock.step(599_999)
    assert.deepEqual(open(text), { a: "x" })
    clock.step(1)
    assert.equal(open(text), undefined)
    clock.step(-600_001)
    assert.equal(open(text), undefined, "from the future")
})
