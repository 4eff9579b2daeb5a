// Numbers as people read them: durations, percentages, bytes, counts, dates in file names.

/** 59 -> '59 s', 61 -> '1 min 01 s', 3700 -> '1 h 02 min'. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** An estimate with no more digits than it has worth: '40 s', '7 min', '1.5 h'. */
export function roughDuration(seconds: number): string {
  if (seconds < 57.5) return `${Math.max(5, Math.round(seconds / 5) * 5)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** 0.8755 -> '87.55%' */
export function percent(share: number, digits = 2): string {
  return `${(share * 100).toFixed(digits)}%`;
}

/** 11178378 -> '11,178,378' */
export function count(n: number): string {
  return n.toLocaleString('en-US');
}

/** Binary units: 25769803776 -> '24.0 GiB'. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, n < 1 ? 0 : Math.floor(Math.log2(n) / 10));
  return power === 0 ? `${n} B` : `${(n / 2 ** (10 * power)).toFixed(1)} ${units[power]}`;
}

/** Local time, fit for a folder's name and sorted by it: '2025-03-01_09-05-07'. */
export function timeStamp(time: Date): string {
  const date = [time.getFullYear(), twoDigits(time.getMonth() + 1), twoDigits(time.getDate())];
  return `${date.join('-')}_${[time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join('-')}`;
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}
