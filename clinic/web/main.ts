import "uplot/dist/uPlot.min.css"
import "./style.css"
import "./alarms.css"
import "./ward.css"
import "./patient.css"
// After what it changes.
import "./narrow.css"
import "./wall.css"
import "./log.css"
import "./print.css"
import { me, type Session } from "./api.ts"
import { loadLanguage } from "./language-choice.ts"
import { loginView } from "./login.ts"
import { Screen } from "./screen.ts"
import { setupView, takeSetupLink } from "./setup.ts"
import { t } from "./texts/language.ts"
import { setTimeZone } from "./zone.ts"

function show(session: Session): void {
    setTimeZone(session.timeZone)
    new Screen(session, askForLogin)
}

function askForLogin(isUnwanted = false): void {
    document.title = isUnwanted ? `⚠ ${t.shell.product}` : t.shell.product
    delete document.body.dataset.connection
    document.body.replaceChildren(loginView(show, () => askForLogin(isUnwanted), isUnwanted ? t.session.over : ""))
}

loadLanguage()
const setupLink = takeSetupLink()
if (setupLink !== undefined) document.body.replaceChildren(setupView(setupLink, () => askForLogin()))
else await start()

async function start(): Promise<void> {
    try {
        show(await me())
    } catch {
        askForLogin()
    }
}
