import "uplot/dist/uPlot.min.css"
import "./style.css"
import { me, type Session } from "./api.ts"
import { loadLanguage } from "./language-choice.ts"
import { loginView } from "./login.ts"
import { Screen } from "./screen.ts"
import { t } from "./texts/language.ts"
import { setTimeZone } from "./zone.ts"

function show(session: Session): void {
    setTimeZone(session.timeZone)
    new Screen(session, askForLogin)
}

function askForLogin(): void {
    document.title = t.shell.product
    delete document.body.dataset.connection
    document.body.replaceChildren(loginView(show, askForLogin))
}

loadLanguage()
try {
    show(await me())
} catch {
    askForLogin()
}
