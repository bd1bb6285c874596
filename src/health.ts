/** Whether a sensor runs; says once what is wrong with it, and once that it is back. */
export class Health {
    isRunning = false
    private name: string
    private complaint: string

    constructor(name: string) {
        this.name = name
    }

    works(): void {
        this.isRunning = true
        if (this.complaint) console.log(`${this.name}: works again`)
        this.complaint = undefined
    }

    /** It runs, but something keeps it from measuring well. */
    complains(complaint: string): void {
        this.isRunning = true
        this.say(complaint)
    }

    failed(error: Error): void {
        this.isRunning = false
        this.say(error.message)
    }

    private say(complaint: string): void {
        if (this.complaint !== complaint) console.log(`${this.name}: ${complaint}`)
        this.complaint = complaint
    }
}
