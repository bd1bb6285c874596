import "./style.css"
import { h, setText } from "../../browser/dom.ts"
import { logout, NotSignedIn, state } from "./api.ts"
import { CoapBrowser } from "./browser.ts"
import { Overview } from "./overview.ts"
import { setupView, signInView, takeSetupLink } from "./sign-in.ts"
import { Targets } from "./targets.ts"

const refreshMs = 2000

let timer: ReturnType<typeof setTimeout> | undefined
const setupLink = takeSetupLink()
if (setupLink === undefined) showRouter()
else showSetup(setupLink)

function showSetup(link: string): void {
    document.body.replaceChildren(setupView(link, () => showSignIn("The password is set.")))
}

function showSignIn(notice: string): void {
    document.body.replaceChildren(signInView(notice, showRouter))
}

/** The page itself; asks for a login where the router wants one. */
function showRouter(): void {
    const browser = new CoapBrowser()
    const targets = new Targets(base => void browser.discover(base))
    const overview = new Overview()
    const visitor = h("span", {})
    const leave = h("button", { type: "button" }, "Sign out")
    const account = h("div", { class: "account", hidden: "" }, visitor, leave)
    const signedOut = (notice: string) => {
        clearTimeout(timer)
        browser.stop()
        showSignIn(notice)
    }
    leave.addEventListener("click", () => {
        logout().then(
            () => signedOut("You have signed out."),
            () => targets.lost(),
        )
    })
    /** False where the router wants a login. */
    const refresh = async (): Promise<boolean> => {
        try {
            const now = await state()
            account.hidden = now.visitor === null
            if (now.visitor) setText(visitor, `${now.visitor.name}, may ${now.visitor.right}`)
            browser.update(now)
            targets.update(now)
            overview.update(now)
        } catch (error) {
            if (error instanceof NotSignedIn) {
                signedOut("")
                return false
            }
            targets.lost()
        }
        timer = setTimeout(() => void refresh(), refreshMs)
        return true
    }
    void refresh().then(async isIn => {
        if (!isIn) return
        document.body.replaceChildren(
            h("header", {}, h("h1", {}, "VitalMote router"), h("p", {}, "the motes that it serves"), account),
            h("nav", { "aria-label": "Motes and resources" }, targets.element, browser.resources, targets.router),
            overview.element,
            h("main", {}, h("h2", {}, "CoAP browser"), browser.form.element, browser.result),
            h("aside", {}, browser.records.element),
        )
        await browser.discover("")
    })
}
