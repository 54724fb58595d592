// Every page that somebody can reach by links alone. A GET changes nothing, so all of them may be followed.

/** The shape of a path: ids and values of queries do not make another page. */
export function shapeOf(path) {
  const url = new URL(path, "https://manager.test");
  const free = /^(q|after|since|until|alias|next|kind|show|about|name|person|once)$/;
  const names = [...url.searchParams].map(([name, value]) => `${name}=${free.test(name) ? "" : value}`).sort();
  const place = url.pathname.replace(/\/[a-z]{3}-[0-9a-z]{13}(?=\/|$)/g, "/*").replace(/\/activity\/\d+$/, "/activity/*");
  return names.length > 0 ? `${place}?${names.join("&")}` : place;
}

/** Follows every link from `start`, each path once, and at most `each` pages of one shape. Gives what each path answered. */
export async function pathsFrom(one, start, each = Infinity) {
  const answers = new Map();
  const shapes = new Map();
  const known = new Set([start]);
  for (let waiting = [start]; waiting.length > 0;) {
    const wanted = waiting.filter(path => {
      // No page, and asked for with a token.
      if (path.startsWith("/api/")) return false;
      const count = (shapes.get(shapeOf(path)) ?? 0) + 1;
      shapes.set(shapeOf(path), count);
      return count <= each;
    });
    waiting = [];
    for (const path of wanted) {
      const answer = await one.get(path);
      answers.set(path, answer);
      for (const link of answer.links) {
        if (known.has(link)) continue;
        known.add(link);
        waiting.push(link);
      }
    }
  }
  return answers;
}
