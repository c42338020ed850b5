const DAY_MS = 86_400_000
const WEEKDAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed']
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
/** Days of the 400 years after which the calendar repeats. */
const ERA_DAYS = 146_097
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_DAYS = 719_468

/** A point in time by the Gregorian calendar, UTC, in the forms that Connect writes. */
export interface CalendarTexts {
  /** `2024-01-31` */
  readonly date: string
  /** `23:59:59.999Z` */
  readonly time: string
  /** `2024-01-31T23:59:59.999Z` */
  readonly timestamp: string
  /** `Wed Jan 31 23:59:59 UTC 2024`, Java's Date.toString. */
  readonly javaDate: string
}

export function calendarOf(epochMs: number): CalendarTexts {
  const days = Math.floor(epochMs / DAY_MS)
  const { year, month, day } = civilOf(days)
  const ofDay = epochMs - days * DAY_MS
  const clock = [3_600_000, 60_000, 1000]
    .map((unit, index) => pad(Math.floor(ofDay / unit) % (index === 0 ? 24 : 60), 2))
    .join(':')
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
  const time = `${clock}.${pad(ofDay % 1000, 3)}Z`
  const weekday = WEEKDAYS[((days % 7) + 7) % 7] ?? ''
  const javaDate = `${weekday} ${MONTHS[month - 1] ?? ''} ${pad(day, 2)} ${clock} UTC ${year}`
  return { date, time, timestamp: `${date}T${time}`, javaDate }
}

/** Days since 1970-01-01, or null for a day that the calendar does not have. */
export function daysOf(year: number, month: number, day: number): number | null {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const ofEra = shifted - era * 400
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const days =
    era * ERA_DAYS + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear
  const found = civilOf(days - EPOCH_DAYS)
  const isReal = found.year === year && found.month === month && found.day === day
  return isReal ? days - EPOCH_DAYS : null
}

/** Howard Hinnant's civil_from_days: years begin in March, so that the leap day is the last. */
function civilOf(epochDays: number): { year: number; month: number; day: number } {
  const days = epochDays + EPOCH_DAYS
  const era = Math.floor(days / ERA_DAYS)
  const ofEra = days - era * ERA_DAYS
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) /
      365,
  )
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * ofYear + 2) / 153)
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  const day = ofYear - Math.floor((153 * shifted + 2) / 5) + 1
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
