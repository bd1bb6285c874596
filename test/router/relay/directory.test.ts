import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { linkFormat, matchingLinks, parseLinks, type Link } from "../../../router/coap/link-format.ts"
import { message, Code } from "../../../router/coap/message.ts"
import { OptionNumber } from "../../../router/coap/options.ts"
import { TestMote } from "../../support/mote.ts"
import { startCore } from "./served-mote.ts"

const links = '</status>;rt="vitalmote.status";ct=112,</vitals>;rt="vitalmote.vitals";ct=17;obs'

async function setUp() {
    const keys = [TestMote.numbered(1), TestMote.numbered(2)]
    const core = await startCore(keys)
    const motes = [await core.mote(keys[0]!), await core.mote(keys[1]!)]
    for (const mote of motes) mote.answer = () => mote.content(links)
    const client = core.client()
    const get = async (path: string, ...query: string[]) => {
        const options = query.map(part => ({ number: OptionNumber.UriQuery, value: Buffer.from(part) }))
        return (await client.get(path, ...options)).replace("2.05 ", "").split(",")
    }
    return { motes, core, get, euis: keys.map(({ eui }) => eui) }
}

test("a directory is found by its resource types", async () => {
    const { get } = await setUp()
    assert.deepEqual(await get("/.well-known/core", "rt=core.rd-lookup*"), [
        '</rd-lookup/ep>;rt="core.rd-lookup-ep";ct=40',
        '</rd-lookup/res>;rt="core.rd-lookup-res";ct=40',
    ])
    assert.deepEqual(await get("/.well-known/core", "href=/vitals"), ['</vitals>;rt="vitalmote.vitals";ct=17'])
})

test("endpoints are the motes that are connected", async () => {
    const { get, euis, motes, core } = await setUp()
    const line = (eui: string) => `</m/${eui}>;ep="${eui}";base="coap+tcp://${eui}";rt="core.rd-ep"`
    assert.deepEqual(await get("/rd-lookup/ep"), euis.map(line))
    assert.deepEqual(await get("/rd-lookup/ep", `ep=${euis[1]}`), [line(euis[1]!)])
    assert.deepEqual(await get("/rd-lookup/ep", "count=1", "page=1"), [line(euis[1]!)])
    assert.deepEqual(await get("/rd-lookup/ep", "count=5", "page=1"), ["2.05"])
    assert.match((await get("/rd-lookup/ep", "count=-1"))[0]!, /^4\.00/)
    motes[0]!.stream.destroy()
    await core.clock.advance(1)
    assert.deepEqual(await get("/rd-lookup/ep"), [line(euis[1]!)])
})

test("resources are what the motes say, each mote asked once", async () => {
    const { get, euis, motes, core } = await setUp()
    const [a, b] = euis.map(eui => `coap+tcp://${eui}`)
    assert.deepEqual(await get("/rd-lookup/res", "rt=vitalmote.vitals"), [
        `<${a}/vitals>;rt="vitalmote.vitals";ct=17;obs;anchor="${a}"`,
        `<${b}/vitals>;rt="vitalmote.vitals";ct=17;obs;anchor="${b}"`,
    ])
    assert.equal((await get("/rd-lookup/res")).length, 4)
    assert.equal((await get("/rd-lookup/res", `ep=${euis[0]}`, "ct=112")).length, 1)
    await core.clock.advance(1_000_000)
    await get("/rd-lookup/res")
    assert.deepEqual(
        motes.map(({ asked }) => asked),
        [["0.01 /.well-known/core"], ["0.01 /.well-known/core"]],
    )
})

test("either lookup takes criteria of registrations and of their links, with prefixes", async () => {
    const { get, euis, motes } = await setUp()
    const [a, b] = euis.map(eui => `coap+tcp://${eui}`)
    const ep = (i: number) => `</m/${euis[i]}>;ep="${euis[i]}";base="coap+tcp://${euis[i]}";rt="core.rd-ep"`
    const targets = async (...query: string[]) =>
        (await get("/rd-lookup/res", ...query)).map(link => /^<(.*?)>/.exec(link)?.[1] ?? link)
    motes[1]!.answer = () => motes[1]!.content('</config>;rt="vitalmote.config"')
    assert.deepEqual(await targets(`ep=${euis[0]!.slice(0, 15)}*`), [`${a}/status`, `${a}/vitals`, `${b}/config`])
    assert.deepEqual(await targets(`ep=${euis[0]}`, "rt=vitalmote.*"), [`${a}/status`, `${a}/vitals`])
    assert.deepEqual(await targets(`base=${b}`), [`${b}/config`])
    assert.deepEqual(await targets(`href=${a}/vit*`), [`${a}/vitals`])
    assert.deepEqual(await targets("href=/config"), [`${b}/config`])
    assert.deepEqual(await targets(`href=/m/${euis[1]}`), [`${b}/config`], "the registration's")
    assert.deepEqual(await targets("ep=ffff*"), ["2.05"])
    assert.deepEqual(await get("/rd-lookup/ep", "rt=vitalmote.config"), [ep(1)])
    assert.deepEqual(await get("/rd-lookup/ep", "rt=vitalmote.*"), [ep(0), ep(1)])
    assert.deepEqual(await get("/rd-lookup/ep", "rt=vitalmote.vitals", "ct=112"), [ep(0)], "by one link or another")
    assert.deepEqual(await get("/rd-lookup/ep", "href=/vitals"), [ep(0)])
    assert.deepEqual(await get("/rd-lookup/ep", "rt=nothing"), ["2.05"])
})

test("a mote that says nonsense of itself is left out, the others are not", async () => {
    const { get, motes } = await setUp()
    motes[0]!.answer = () => message(Code.Content, { payload: Buffer.from('<//evil>,"<x\0') })
    assert.equal((await get("/rd-lookup/res")).length, 2)
})

const attribute = fc.oneof(fc.constant(true as const), fc.nat(999_999_999), fc.stringMatching(/^[ -!#-[\]-~]*$/))
const anyLink: fc.Arbitrary<Link> = fc.tuple(
    fc.stringMatching(/^\/[!#-+.-;=?-~]{0,20}$/),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), attribute, { maxKeys: 4 }),
)

test("links are read as they are written", () => {
    fc.assert(
        fc.property(fc.array(anyLink, { maxLength: 5 }), list => {
            const plain = (links: Link[]) => links.map(([target, attributes]) => [target, Object.entries(attributes)])
            assert.deepEqual(plain(parseLinks(linkFormat(list))), plain(list))
        }),
    )
})

test("any text is links or none, and soon", () => {
    fc.assert(
        fc.property(fc.string({ maxLength: 3000 }), text => {
            assert.ok(parseLinks(text).length <= 32)
        }),
    )
    // These do not take for ever:
    parseLinks(`<a>${";a".repeat(100_000)}"`)
    parseLinks("<a>;b=".repeat(100_000))
})

test("a query filters by target, by attribute and by one of several values", () => {
    const list = parseLinks('</a>;rt="x y",</b>;rt=y;obs,</c/d>')
    const found = (...query: string[]) => matchingLinks(list, query).map(([target]) => target)
    assert.deepEqual(found("rt=y"), ["/a", "/b"])
    assert.deepEqual(found("rt=x*"), ["/a"])
    assert.deepEqual(found("href=/c*"), ["/c/d"])
    assert.deepEqual(found("rt=y", "href=/b"), ["/b"])
    assert.deepEqual(found("nothing=1"), [])
    assert.deepEqual(found(), ["/a", "/b", "/c/d"])
})
