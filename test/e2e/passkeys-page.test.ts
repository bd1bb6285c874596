import assert from "node:assert/strict"
import type { CDPSession, Page } from "playwright-core"
import { Service } from "../clinic/service.ts"
import { launchChromium } from "../support/chromium.ts"
import { check, logIn, openPage, pageTest } from "./clinic-browser.ts"

const password = "correct horse battery"

/** The authenticator of a device, which finds its user there and knows them. */
async function authenticator(page: Page): Promise<{ cdp: CDPSession; authenticatorId: string }> {
    const cdp = await page.context().newCDPSession(page)
    await cdp.send("WebAuthn.enable")
    const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
        options: {
            ...{ protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true },
            ...{ isUserVerified: true, automaticPresenceSimulation: true },
        },
    })
    return { cdp, authenticatorId }
}

pageTest(
    "a passkey: added, named, signed in with, asked for beside the password, refused as a clone, removed",
    async t => {
        const service = await Service.start(undefined, { host: "localhost" })
        t.after(() => service.close())
        const browser = await launchChromium()
        t.after(() => browser.close())
        const { doctor: token } = service
        await service.call("POST", "/api/users", {
            token,
            json: { user: "nora", role: "nurse", wards: "all", password },
        })
        const page = await openPage(browser, `${service.running.url}/#/account`, {
            viewport: { width: 390, height: 844 },
        })
        const { cdp, authenticatorId } = await authenticator(page)
        await logIn(page, password, "nora")
        const part = page.locator("section").filter({ has: page.getByRole("heading", { name: "Passkeys" }) })
        const add = async (name: string, word: string) => {
            await part.getByLabel("Name, such as the device").fill(name)
            await part.getByLabel("Current password").first().fill(word)
            await part.getByRole("button", { name: "Add a passkey" }).click()
        }
        await add("Phone", "not the password")
        await part.getByText("password is wrong").waitFor()
        await add("Phone", password)
        await part.getByText("The passkey is added.").waitFor()
        await part.getByRole("button", { name: "Remove: Phone", exact: true }).waitFor()
        await add("The same phone", password)
        await part.getByText("this device has a passkey of yours already").waitFor()
        page.once("dialog", dialog => void dialog.accept("Nora's phone"))
        await part.getByRole("button", { name: "Rename: Phone" }).click()
        await part.getByRole("button", { name: "Remove: Nora's phone" }).waitFor()
        await check(page)

        const out = page.getByRole("button", { name: "Log out", exact: true })
        await out.click()
        const signIn = page.getByRole("button", { name: "Sign in with a passkey" })
        await signIn.waitFor()
        await check(page)
        await signIn.click()
        await page.getByRole("heading", { name: "My account: nora" }).waitFor()
        const session = async () =>
            (await page.evaluate("fetch('./api/me').then(answer => answer.json())")) as { way: string; user: string }
        assert.deepEqual([(await session()).user, (await session()).way], ["nora", "passkey"])

        // Beside the password, too.
        await part.getByLabel("Current password").last().fill(password)
        await part.getByRole("button", { name: "Ask for a passkey after the password" }).click()
        await part.getByText("After the password, a passkey is asked for").waitFor()
        await out.click()
        await logIn(page, password, "nora")
        await page.getByRole("button", { name: "Use a passkey instead" }).click()
        await page.getByRole("heading", { name: "My account: nora" }).waitFor()
        assert.equal((await session()).way, "password")
        const { json: refused } = await service.call("POST", "/api/login", { json: { user: "nora", password } })
        assert.deepEqual([refused.type, refused.passkey], ["urn:vitalmote:problem:needs-code", true])

        // Someone without a finger on it; a copy that counts from an earlier state.
        await out.click()
        await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false })
        await signIn.click()
        await page.getByText("The passkey was not used.").waitFor()
        await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true })
        const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId })
        const [credential] = credentials
        await cdp.send("WebAuthn.removeCredential", { authenticatorId, credentialId: credential!.credentialId })
        await cdp.send("WebAuthn.addCredential", { authenticatorId, credential: { ...credential!, signCount: 0 } })
        await signIn.click()
        await page.getByText("The passkey is not known here, or its answer is not valid.").waitFor()
        await cdp.send("WebAuthn.removeCredential", { authenticatorId, credentialId: credential!.credentialId })
        await cdp.send("WebAuthn.addCredential", { authenticatorId, credential: { ...credential!, signCount: 100 } })
        await signIn.click()
        await page.getByRole("heading", { name: "My account: nora" }).waitFor()

        page.once("dialog", dialog => void dialog.accept())
        await part.getByRole("button", { name: "Remove: Nora's phone" }).click()
        await part.getByRole("button", { name: "Remove: Nora's phone" }).waitFor({ state: "detached" })
        await out.click()
        await signIn.click()
        await page.getByText("The passkey is not known here, or its answer is not valid.").waitFor()

        // By its address in the network, passkeys cannot work, and the page says so.
        const numbered = await Service.start(undefined, { host: "127.0.0.1" })
        t.after(() => numbered.close())
        const other = await openPage(browser, `${numbered.running.url}/#/account`)
        await logIn(other, numbered.credentials.doctor.password)
        await other.getByText("Passkeys do not work here: they need a host name").waitFor()
        const { json: none } = await numbered.call("POST", "/api/sign-in/passkey/challenge")
        assert.equal(none.type, "urn:vitalmote:problem:no-passkeys-here")
    },
)
