/* What a page keeps in the browser, for its next visit. A browser may be set to keep nothing; then it lasts as long as the page. */

const forThisPage = new Map<string, string>()

export function kept(key: string): string | undefined {
    try {
        return localStorage.getItem(key) ?? forThisPage.get(key)
    } catch {
        return forThisPage.get(key)
    }
}

export function keep(key: string, value: string): void {
    forThisPage.set(key, value)
    try {
        localStorage.setItem(key, value)
    } catch {
        // It is in `forThisPage`.
    }
}
