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
import { returnToView, takeArrival, type Arrival } from "./arrival.ts"
import { me, type Session } from "./api.ts"
import { loadLanguage } from "./language-choice.ts"
import { loginView } from "./login.ts"
import { Screen } from "./screen.ts"
import { setupView } from "./setup.ts"
import { t } from "./texts/language.ts"
import { setTimeZone } from "./zone.ts"

function show(session: Session): void {
    setTimeZone(session.timeZone)
    returnToView()
    new Screen(session, isUnwanted => askForLogin({ isUnwanted, hasLeftProvider: session.way === "openid" }))
}

interface Asking {
    /** Somebody was logged out, who may believe to be watching. */
    isUnwanted?: boolean
    hasLeftProvider?: boolean
    arrival?: Arrival
}

function askForLogin(o: Asking = {}): void {
    const { isUnwanted = false, hasLeftProvider = false, arrival = {} } = o
    const { problem, needsCode = false } = arrival
    document.title = isUnwanted ? `⚠ ${t.shell.product}` : t.shell.product
    delete document.body.dataset.connection
    const notice = problem ? t.login.refused(t.problem(problem)) : isUnwanted ? t.session.over : ""
    const languageChosen = () => askForLogin(o)
    document.body.replaceChildren(loginView({ loggedIn: show, languageChosen, notice, hasLeftProvider, needsCode }))
}

loadLanguage()
const arrival = takeArrival()
if (arrival.setup !== undefined) document.body.replaceChildren(setupView(arrival.setup, () => askForLogin()))
else if (arrival.needsCode || arrival.problem) askForLogin({ arrival })
else await start()

async function start(): Promise<void> {
    try {
        show(await me())
    } catch {
        askForLogin()
    }
}
