/* Draws the report from the content embedded in the page: figures by region, words by
   language, charts by theme. Text reaches the page as text only, never as markup. */
"use strict";
(() => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const { subject, shown, figures } = content;
  const byId = (id) => document.getElementById(id);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const state = { language: "en", region: null };

  /* ---- Figures ---- */

  const records = Object.fromEntries(
    Object.entries(figures).map(([name, { columns, rows }]) => [
      name,
      rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]]))),
    ]),
  );
  const regions = new Map(records.regions.map((region) => [region.region_code, region]));
  const root = records.regions[0].region_code;
  const here = (name) => records[name].filter((row) => row.region_code === state.region);
  const sum = (rows, field) => rows.reduce((total, row) => total + (row[field] ?? 0), 0);
  const known = (rows, field) => rows.filter((row) => row[field] !== null);
  const ratio = (part, whole) => (whole ? part / whole : null);
  const groupBy = (rows, field) => {
    const groups = new Map();
    for (const row of rows) {
      if (!groups.has(row[field])) groups.set(row[field], []);
      groups.get(row[field]).push(row);
    }
    return groups;
  };

  /* ---- Words and numbers in the reader's language ---- */

  const locale = () => {
    const wanted = state.language === "zh" ? "zh" : "en";
    const own = navigator.languages.find((tag) => tag.toLowerCase().split("-")[0] === wanted);
    return own ?? (wanted === "zh" ? "zh-CN" : "en-GB");
  };
  const word = (key, filled = {}) => {
    const text = content.words[state.language][key];
    return text.replace(/\{(\w+)\}/g, (_, name) => filled[name] ?? `{${name}}`);
  };
  const code = (value) => {
    if (value === null) return word("code.unknown_risk");
    const told = content.words[state.language][`code.${value}`];
    return told ?? (/^[a-z0-9_]+$/.test(value) ? value.replaceAll("_", " ") : value);
  };
  const capital = (text) => text.charAt(0).toLocaleUpperCase(locale()) + text.slice(1);
  const numbers = (options) => {
    const made = new Map();
    return (value) => {
      if (value === null || value === undefined) return "–";
      const tag = locale();
      if (!made.has(tag)) made.set(tag, new Intl.NumberFormat(tag, options));
      // A hyphen would let a line break behind the sign.
      return made.get(tag).format(value).replace("-", "\u2212");
    };
  };
  const currency = {
    style: "currency", currency: subject.reporting_currency, currencyDisplay: "narrowSymbol",
  };
  const wholePercent = numbers({ style: "percent", maximumFractionDigits: 0 });
  const few = { notation: "compact", maximumSignificantDigits: 3 };
  const format = {
    count: numbers({ maximumFractionDigits: 0 }),
    compact: numbers(few),
    money: numbers({ minimumFractionDigits: 2, maximumFractionDigits: 2 }),
    brief: numbers({ ...currency, ...few }),
    price: numbers({ ...currency, maximumFractionDigits: 2 }),
    change: numbers({ ...currency, ...few, signDisplay: "exceptZero" }),
    percent: numbers({ style: "percent", maximumFractionDigits: 1 }),
    whole: (value) => (value > 0 && value < 0.005 ? "<" : "") + wholePercent(value > 0 && value < 0.005 ? 0.01 : value),
    growth: numbers({ style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" }),
    decimal: numbers({ maximumFractionDigits: 2 }),
    signed: numbers({ maximumFractionDigits: 2, signDisplay: "exceptZero" }),
    month: (value, style = "short") =>
      value === null
        ? word("code.later")
        : new Intl.DateTimeFormat(locale(), {
            month: style, year: style === "long" ? "numeric" : "2-digit", timeZone: "UTC",
          }).format(new Date(`${value}-01T00:00:00Z`)),
    moment: (value) =>
      value === null
        ? "–"
        : new Intl.DateTimeFormat(locale(), {
            dateStyle: "medium", timeStyle: "short", timeZone: "UTC",
          }).format(new Date(value)),
    text: (value) => (value === null ? "–" : String(value)),
    code: (value) => (value === null ? "–" : code(value)),
    band: (value) => code(value),
    flag: (value) => (value === null ? "–" : word(value ? "yes" : "no")),
    codes: (value) => (value ?? "").split(",").map((one) => code(one.trim())).join(word("list_separator")),
  };
  const NUMERIC = new Set(["count", "money", "percent", "decimal"]);
  const ago = (moment) => {
    const units = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];
    const seconds = (new Date(moment) - Date.now()) / 1000;
    const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ["minute", 60];
    return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(Math.round(seconds / size), unit);
  };
  const place = (region = state.region) => regions.get(region).region_name;

  /* ---- Building the page ---- */

  const element = (tag, { text, children = [], ...attributes } = {}) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    made.append(...children);
    return made;
  };
  /* Columns are [field, kind, word]; the raw value stays on the cell. */
  const table = (columns, rows, { list = false, open } = {}) => {
    const titles = columns.map(([field, , title]) =>
      word(`column.${title ?? field}`, { currency: subject.reporting_currency }));
    const head = columns.map(([, kind], at) =>
      element("th", { scope: "col", class: NUMERIC.has(kind) ? "number" : "", text: titles[at] }));
    const body = rows.map((row) =>
      element("tr", {
        children: columns.map(([field, kind], at) => {
          const value = row[field] ?? null;
          const cell = element("td", {
            class: NUMERIC.has(kind) ? "number" : kind, "data-label": titles[at],
            "data-field": field, "data-value": value === null ? "" : String(value),
          });
          if (open && at === 0) {
            const button = element("button", { type: "button", class: "link", text: format[kind](value) });
            button.addEventListener("click", () => open(row));
            cell.append(button);
          } else cell.textContent = format[kind](value);
          return cell;
        }),
      }));
    return element("table", {
      class: list ? "list" : "",
      children: [
        element("thead", { children: [element("tr", { children: head })] }),
        element("tbody", { children: body }),
      ],
    });
  };

  const scrolled = (made) => element("div", { class: "wide", children: [made] });

  const nameWidth = () => (window.innerWidth < 640 ? 115 : 200);

  /* ---- Colours of the theme; no two are told apart by red and green ---- */

  const palette = () =>
    dark.matches
      ? {
          ink: "#e8edf2", quiet: "#a3b1be", line: "#33414e", paper: "#17212b",
          accent: "#6db3f2", muted: "#5d7285", gain: "#6db3f2", loss: "#f2a25c",
          low: [30, 44, 58], high: [125, 190, 247],
        }
      : {
          ink: "#1b2733", quiet: "#55626e", line: "#d5dce3", paper: "#ffffff",
          accent: "#0b5c9e", muted: "#a9b8c6", gain: "#0b5c9e", loss: "#bd5310",
          low: [237, 243, 248], high: [11, 84, 146],
        };
  const luminance = (rgb) => {
    const [red, green, blue] = rgb.map((one) => {
      const part = one / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  /* A colour of the ramp, and whichever of black and white is read more easily on it. */
  const shade = (part) => {
    const { low, high } = palette();
    const mixed = low.map((from, at) => Math.round(from + (high[at] - from) * part));
    const light = luminance(mixed) + 0.05;
    return { color: `rgb(${mixed.join(",")})`, ink: 1.05 / light > light / 0.05 ? "#ffffff" : "#000000" };
  };
  const theme = (name) => {
    const { ink, quiet, line, accent, muted, loss, paper } = palette();
    const font = getComputedStyle(document.body).fontFamily;
    return {
      background: "transparent", font, customFormatTypes: true,
      view: { stroke: null },
      axis: {
        labelColor: quiet, titleColor: quiet, titleFontWeight: "normal", labelFontSize: 12,
        titleFontSize: 12, gridColor: line, domainColor: line, tickColor: line,
        labelLimit: nameWidth(), labelPadding: 6,
      },
      axisX: { grid: false, labelOverlap: "parity", labelSeparation: 6 },
      axisY: { domain: false, ticks: false },
      axisYBand: { labelColor: ink, labelFontSize: 13 },
      legend: { labelColor: ink, labelFontSize: 12, symbolType: "square", offset: 4 },
      bar: { discreteBandSize: { band: 0.72 } },
      range: { category: name === "renewals" ? [loss, accent, muted] : [muted, accent] },
      style: {
        wash: { color: accent, fillOpacity: 0.12 },
        accent_line: { color: accent, strokeWidth: 2.5 },
        accent_point: { color: accent, size: 70, opacity: 1 },
        accent_bar: { color: accent },
        muted_line: { color: quiet, strokeWidth: 1.2 },
        label: { color: ink, fontSize: 12.5 },
        note: { color: quiet, fontSize: 12 },
        cell: { fontSize: 12.5 },
        tile: { stroke: paper, strokeWidth: 3 },
        ribbon: { fillOpacity: 0.75 },
        zero: { color: quiet, strokeWidth: 1 },
      },
    };
  };

  /* ---- One function a figure: what it found, the rows of its chart, its table ---- */

  const bars = (rows, total) =>
    rows.map((row) => {
      const share = total > 0 ? ` · ${format.whole(row.value / total)}` : "";
      const label = `${row.shown}${share}`;
      return { ...row, label, reach: row.value, tip: `${row.name}: ${label}` };
    });
  const pairs = (rows, measures) =>
    rows.flatMap((row) =>
      measures.filter(([field]) => row[field] !== null).map(([field, title, count]) => {
        const [name, measure] = [code(row.tier_code), word(`column.${title}`)];
        const label = `${format.percent(row[field])} (${count(row)})`;
        return { name, measure, share: row[field], reach: row[field], label, tip: `${name}, ${measure}: ${label}` };
      }));
  /* How far the axis must reach so that each label still fits behind its bar. */
  const makeRoom = (rows, width) => {
    const long = (text) => [...text].reduce((all, one) => all + (one > "\u2e80" ? 13 : 7.3), 10);
    const plot = Math.max(width - Math.max(...rows.map((row) => Math.min(long(row.name), nameWidth() + 6))), 60);
    const floor = Math.min(0, ...rows.map((row) => row.floor ?? 0));
    for (const row of rows) {
      row.room = floor + (row.reach - floor) / Math.max(1 - long(row.label) / plot, 0.2);
    }
  };

  const draw = {
    trend() {
      const rows = known(here("summary"), "revenue");
      if (!rows.length) return null;
      const [before, now] = [rows.at(-2)?.revenue, rows.at(-1).revenue];
      const change = before ? now / before - 1 : null;
      const way = !change ? "flat" : change > 0 ? "up" : "down";
      return {
        finding: word(`trend.${way}`, {
          revenue: format.brief(now), change: format.percent(Math.abs(change)),
        }),
        chart: rows.map((row, at) => ({
          month: row.month, revenue: row.revenue,
          label: at === rows.length - 1 ? format.brief(row.revenue) : null,
          tip: `${format.month(row.month, "long")}: ${format.price(row.revenue)}`,
        })),
        table: [[["month", "month"], ["revenue", "money"], ["customers", "count"], ["key_customers", "count"]], rows],
      };
    },

    families() {
      const rows = here("families");
      const total = sum(rows, "revenue");
      if (!rows.length) return null;
      const told = rows.map((row) => ({ ...row, share: ratio(row.revenue, total) }));
      return {
        finding: word("families.finding", {
          first: capital(code(rows[0].product_family)), share: format.whole(told[0].share),
        }),
        chart: bars(rows.map((row) => ({
          name: capital(code(row.product_family)), value: row.revenue, shown: format.brief(row.revenue),
        })), total),
        table: [[["product_family", "code", "family"], ["revenue", "money"], ["share", "percent"]], told],
      };
    },

    places() {
      const now = new Map(records.summary
        .filter((row) => row.month === subject.closing_month).map((row) => [row.region_code, row]));
      const whole = now.get(state.region)?.revenue;
      const rows = records.regions
        .filter((region) => region.parent_code === state.region && now.has(region.region_code))
        .map((region) => {
          const figures = now.get(region.region_code);
          return { ...figures, region_name: region.region_name, share: ratio(figures.revenue, whole) };
        })
        .filter((row) => row.revenue || row.customers)
        .sort((one, other) => other.revenue - one.revenue);
      if (!rows.length) return { finding: word("places.leaf", { region: place() }), chart: null };
      const open = (row) => choose({ region: row.region_code });
      return {
        finding: word("places.finding", {
          first: rows[0].region_name, share: format.whole(rows[0].share), region: place(),
        }),
        chart: bars(rows.slice(0, 20).map((row) => ({
          name: row.region_name, value: row.revenue, shown: format.brief(row.revenue), code: row.region_code,
        })), whole),
        onClick: (datum) => datum.code && choose({ region: datum.code }),
        table: [[["region_name", "text", "region"], ["revenue", "money"], ["share", "percent"],
          ["customers", "count"], ["key_customers", "count"]], rows, { open }],
      };
    },

    concentration() {
      const [mart] = here("concentration");
      const points = here("curve");
      if (!mart || !points.length) return null;
      const told = word("concentration.finding", { share: format.whole(mart.top_20_share) });
      const rows = [{ customer_share: 0, revenue_share: 0 }, ...points];
      return {
        finding: told,
        chart: rows.map((row) => ({
          customer_share: row.customer_share, revenue_share: row.revenue_share,
          label: row.customer_share === 0.2
            ? `${format.whole(0.2)} → ${format.percent(row.revenue_share)}` : null,
          equal: row.customer_share === 0.6 ? word("concentration.equal") : null,
          tip: `${format.whole(row.customer_share)} → ${format.percent(row.revenue_share)}`,
        })),
        is: {
          gini: format.decimal(mart.gini), customers: format.count(mart.customers_for_80),
          all: format.count(mart.customers),
        },
        table: [[["customer_share", "percent"], ["revenue_share", "percent"]], points],
      };
    },

    bridge() {
      const rows = here("bridge");
      if (!rows.length) return null;
      const { gain, loss, quiet } = palette();
      const order = ["new", "returned", "expansion", "contraction", "lost", "flat"];
      const sorted = [...rows].sort((a, b) => order.indexOf(a.movement) - order.indexOf(b.movement));
      const [before, after] = [sum(rows, "revenue_before"), sum(rows, "revenue")];
      const moving = sorted.filter((row) => row.change);
      const largest = [...moving].sort((a, b) => Math.abs(b.change) - Math.abs(a.change))[0];
      let reached = 0;
      const steps = moving.map((row) => {
        const start = reached;
        reached += row.change;
        return { name: capital(code(row.movement)), start, end: reached, change: row.change };
      });
      steps.push({ name: capital(word("bridge.net")), start: 0, end: reached, change: reached, net: true });
      return {
        finding: largest
          ? word("bridge.finding", {
              before: format.brief(before), after: format.brief(after),
              largest: code(largest.movement), change: format.change(largest.change),
            })
          : word("bridge.still", { before: format.brief(before) }),
        chart: largest ? steps.map((step) => ({
          ...step, color: step.net ? quiet : step.change > 0 ? gain : loss,
          reach: Math.max(step.start, step.end), floor: Math.min(step.start, step.end),
          label: format.change(step.change), tip: `${step.name}: ${format.change(step.change)}`,
        })) : null,
        table: [[["movement", "code"], ["customers", "count"], ["revenue_before", "money"],
          ["revenue", "money"], ["change", "money"]], sorted],
      };
    },

    tiers() {
      const rows = here("tiers");
      const ranked = known(rows, "tier_rank");
      if (!ranked.length) return null;
      const [customers, revenue] = [sum(rows, "customers"), sum(rows, "revenue")];
      const told = rows.map((row) => ({
        ...row, customer_share: ratio(row.customers, customers), revenue_share: ratio(row.revenue, revenue),
      }));
      const lowest = Math.max(...ranked.map((row) => row.tier_rank));
      const above = ranked.filter((row) => row.tier_rank < lowest);
      const below = ranked.find((row) => row.tier_rank === lowest);
      return {
        finding: above.length
          ? word("tiers.finding", {
              customers: format.count(sum(above, "customers")), lowest: code(below.tier_code),
              share: format.percent(ratio(sum(above, "customers"), customers)),
              revenue: format.whole(ratio(sum(above, "revenue"), revenue)),
            })
          : word("tiers.single", { customers: format.count(below.customers) }),
        chart: pairs(told, [
          ["customer_share", "customer_share", (row) => format.count(row.customers)],
          ["revenue_share", "revenue_share", (row) => format.brief(row.revenue)],
        ]),
        is: { policy: subject.tier_policy },
        table: [[["tier_code", "code", "tier"], ["customers", "count"], ["customer_share", "percent"],
          ["revenue", "money"], ["revenue_share", "percent"]], told],
      };
    },

    flow() {
      const rows = records.migration;
      if (!rows.length) return null;
      const { gain, loss, muted } = palette();
      const way = (move) =>
        move.rank_from === null || move.rank_to === null ? 0 : Math.sign(move.rank_from - move.rank_to);
      const count = (wanted) => sum(rows.filter(wanted), "customers");
      const stayed = format.count(count((row) => row.tier_from === row.tier_to && row.rank_to !== null));
      const finding = content.flow.ribbons.length
        ? word("flow.finding", {
            up: format.count(count((row) => way(row) > 0)),
            down: format.count(count((row) => way(row) < 0)), stayed,
          })
        : word("flow.none", { stayed });
      const ribbons = content.flow.ribbons.flatMap(({ move, edges }, link) =>
        edges.map(([x, low, high]) => ({
          link, x, low, high, color: [loss, muted, gain][way(move) + 1],
          tip: `${code(move.tier_from)} → ${code(move.tier_to)}: ${format.count(move.customers)}`,
        })));
      const ends = content.flow.ends.map((end) => ({
        link: null, x: end.side, middle: end.middle,
        label: `${code(end.tier)}  ${format.count(end.customers)}`,
      }));
      return {
        finding, chart: ribbons.length ? [...ribbons, ...ends] : null,
        table: [[["tier_from", "code"], ["tier_to", "code"], ["customers", "count"], ["revenue", "money"]], rows],
      };
    },

    moves() {
      const rows = records.moves;
      if (!rows.length) return null;
      const { gain, loss } = palette();
      return {
        finding: word("moves.finding", {
          months: format.count(rows.length), up: format.count(sum(rows, "moved_up")),
          down: format.count(sum(rows, "moved_down")),
        }),
        chart: rows.flatMap((row) => [
          [row.moved_up, gain, "moved_up"], [-row.moved_down, loss, "moved_down"],
        ].map(([value, color, title]) => ({
          month: row.month, value, color,
          above: value > 0 ? format.count(value) : "", below: value < 0 ? format.count(-value) : "",
          tip: `${format.month(row.month, "long")}, ${word(`column.${title}`)}: ${format.count(Math.abs(value))}`,
        }))),
        table: [[["month", "month"], ["moved_up", "count"], ["moved_down", "count"],
          ["came_in", "count"], ["dropped_out", "count"]], rows],
      };
    },

    value_risk() {
      const rows = here("value_risk");
      if (!known(rows, "risk_band").length) return null;
      const own = rows.map((row) => row.risk_band).filter((band) => band !== null);
      const bands = [...new Set(["low", "medium", "high", "very_high", ...own, null])]
        .filter((band) => rows.some((row) => row.risk_band === band));
      const most = Math.max(...rows.map((row) => row.current_value ?? 0), 0);
      const risky = rows.filter((row) => row.risk_band === "high" || row.risk_band === "very_high");
      const cells = [...groupBy(rows, "tier_code").values()].flatMap((tier) =>
        bands.map((band) => {
          const cell = tier.find((row) => row.risk_band === band);
          const part = most ? Math.sqrt(Math.max(cell?.current_value ?? 0, 0) / most) : 0;
          const name = code(tier[0].tier_code);
          return {
            name, band: code(band), ...shade(part),
            label: cell ? format.count(cell.customers) : "·",
            tip: cell
              ? `${name}, ${code(band)}: ${format.count(cell.customers)} · ${format.brief(cell.current_value)}`
              : `${name}, ${code(band)}: 0`,
          };
        }));
      const [model] = records.risk_model;
      return {
        finding: risky.length
          ? word("value_risk.finding", {
              customers: format.count(sum(risky, "customers")),
              value: format.brief(sum(risky, "current_value")),
            })
          : word("value_risk.calm"),
        chart: cells,
        more: model && word("value_risk.model", {
          model: code(model.model), auc: format.decimal(model.auc), lift: format.decimal(model.top_decile_lift),
        }),
        table: [[["tier_code", "code", "tier"], ["risk_band", "band"], ["customers", "count"],
          ["revenue", "money"], ["current_value", "money"]], rows],
      };
    },

    renewals() {
      const rows = here("renewals");
      const shownRows = known(rows, "end_month");
      if (!rows.length) return null;
      const order = ["ended_pending", "expiring", "running"];
      const months = groupBy(shownRows, "end_month");
      const ahead = shownRows.filter((row) => row.status !== "ended_pending");
      const peak = [...groupBy(ahead, "end_month")]
        .map(([month, all]) => [month, sum(all, "monthly_revenue")])
        .sort((one, other) => other[1] - one[1])[0];
      const highest = [...months]
        .map(([month, all]) => [month, sum(all, "monthly_revenue")])
        .reduce((best, one) => (one[1] > best[1] ? one : best), [null, 0])[0];
      return {
        finding: peak
          ? word("renewals.finding", {
              revenue: format.brief(sum(ahead, "monthly_revenue")), months: shown.renewal_months,
              month: format.month(peak[0], "long"),
            })
          : word("nothing", { region: place() }),
        chart: peak ? [...months].flatMap(([month, all]) =>
          all.map((row, at) => ({
            month, revenue: row.monthly_revenue, status: code(row.status), place: order.indexOf(row.status),
            total: sum(all, "monthly_revenue"),
            room: sum(all, "monthly_revenue") * 1.1,
            label: at === 0 && month === highest ? format.compact(sum(all, "monthly_revenue")) : "",
            tip: `${format.month(month, "long")}, ${code(row.status)}: ${format.brief(row.monthly_revenue)}`,
          }))) : null,
        table: [[["end_month", "month"], ["status", "code"], ["contracts", "count"],
          ["monthly_revenue", "money"], ["value_at_risk", "money"]], rows],
      };
    },

    clocks() {
      const rows = here("clocks").filter((row) => row.opened).map((row) => ({
        ...row, respond: ratio(row.respond_breaches, row.respond_outcomes),
        resolve: ratio(row.resolve_breaches, row.resolve_outcomes),
      }));
      if (!rows.length) return null;
      const worst = [...known(rows, "resolve")].sort((one, other) => other.resolve - one.resolve)[0];
      return {
        finding: worst?.resolve
          ? word("clocks.finding", {
              tier: code(worst.tier_code), late: format.count(worst.resolve_breaches),
              all: format.count(worst.resolve_outcomes),
            })
          : word("clocks.kept"),
        chart: pairs(rows, [
          ["respond", "respond", (row) => `${format.count(row.respond_breaches)}/${format.count(row.respond_outcomes)}`],
          ["resolve", "resolve", (row) => `${format.count(row.resolve_breaches)}/${format.count(row.resolve_outcomes)}`],
        ]),
        table: [[["tier_code", "code", "tier"], ["opened", "count"], ["respond", "percent"],
          ["respond_outcomes", "count", "outcomes"], ["resolve", "percent"],
          ["resolve_outcomes", "count", "outcomes"]], rows],
      };
    },

    categories() {
      const rows = here("categories").filter((row) => row.opened);
      const all = sum(rows, "opened");
      if (!rows.length) return null;
      const told = rows.map((row) => ({
        ...row, share: ratio(row.opened, all), resolve: ratio(row.resolve_breaches, row.resolve_outcomes),
      }));
      return {
        finding: word("categories.finding", {
          first: capital(code(rows[0].category)), share: format.whole(told[0].share), all: format.count(all),
        }),
        chart: bars(rows.slice(0, 15).map((row) => ({
          name: capital(code(row.category)), value: row.opened, shown: format.count(row.opened),
        })), all),
        table: [[["category", "code"], ["opened", "count"], ["share", "percent"], ["repeats", "count"],
          ["resolve", "percent"], ["resolve_outcomes", "count", "outcomes"]], told],
      };
    },

    worklist() {
      const totals = here("worklist_totals");
      const listed = here("worklist").map((row) => ({
        ...row, contact: row.contact_allowed ? "allowed" : row.contact_blocked_by,
      }));
      if (!totals.length) return { finding: word("nothing", { region: place() }), chart: null };
      return {
        finding: word("worklist.finding", {
          customers: format.count(sum(totals, "customers")), value: format.brief(sum(totals, "value_at_risk")),
        }),
        chart: bars(totals.map((row) => ({
          name: capital(code(row.first_reason)), value: row.value_at_risk ?? 0, shown: format.brief(row.value_at_risk),
        })).sort((one, other) => other.value - one.value), sum(totals, "value_at_risk")),
        body: [scrolled(table([["rank", "count"], ["customer_id", "text", "customer"], ["tier_code", "code", "tier"],
          ["reasons", "codes"], ["churn_probability", "percent"], ["value_at_risk", "money"],
          ["recommended_action", "text", "action"], ["recommended_channel", "code", "channel"],
          ["contact", "code", "contact_allowed"], ["manager_id", "text", "manager"]], listed, { list: true }))],
        table: [[["first_reason", "code", "reasons"], ["customers", "count"], ["value_at_risk", "money"],
          ["contact_allowed", "count"]], totals],
      };
    },

    trust() {
      const { validation, failures, reconciliation, freshness } = records;
      const checked = sum(validation, "checked");
      const titled = (key, content) => [element("h4", { text: word(key) }), content];
      return {
        finding: word("trust.finding", {
          passed: format.count(checked - sum(validation, "failed")), checked: format.count(checked),
          controls: format.count(reconciliation.filter((row) => row.passed).length),
          all: format.count(reconciliation.length),
        }),
        chart: null,
        body: [
          ...titled("trust.checks", scrolled(table([["layer", "code"], ["severity", "code"],
            ["checked", "count"], ["failed", "count"]], validation))),
          ...(failures.length ? titled("trust.failures", scrolled(table([["severity", "code"], ["dataset", "text"],
            ["expectation", "text"], ["unexpected", "count"], ["affected_customers", "count"],
            ["affected_revenue", "money"], ["accepted", "flag"]], failures, { list: true }))) : []),
          ...titled("trust.controls", scrolled(table([["control", "text"], ["source_total", "money"],
            ["warehouse_total", "money"], ["difference", "money"], ["passed", "flag"]], reconciliation))),
          ...titled("trust.feeds", scrolled(table([["feed", "text"], ["files", "count"], ["rows", "count"],
            ["quarantined", "count"], ["delivered_at", "moment"]], freshness))),
        ],
      };
    },
  };

  /* ---- Headline figures ---- */

  const KINDS = {
    revenue: "brief", customers: "count", arpu: "price", overdue_amount: "brief",
    complaints_per_1000: "decimal", key_revenue_share: "percent", customer_churn_rate: "percent",
    resolve_breach_share: "percent",
  };
  const changeOf = (kind, before, now) => {
    if (before === null || before === undefined || now === null) return "";
    if (before === now) return word("unchanged");
    const change = kind === "percent"
      ? word("points", { value: format.signed((now - before) * 100) })
      : kind === "decimal" ? format.signed(now - before)
      : before ? format.growth(now / before - 1) : format.signed(now);
    return word("against_before", { change });
  };
  const drawHeadlines = () => {
    const [before, now] = here("summary").slice(-2).length === 2
      ? here("summary").slice(-2) : [undefined, here("summary").at(-1)];
    for (const name of content.headlines) {
      const tile = byId(`headline-${name}`);
      const value = now?.[name] ?? null;
      tile.querySelector(".value").textContent =
        value === null ? word("unmeasured") : format[KINDS[name]](value);
      tile.querySelector(".value").dataset.value = value ?? "";
      tile.querySelector(".change").textContent = changeOf(KINDS[name], before?.[name], value);
    }
  };

  /* ---- Drawing it all ---- */

  const views = new Map();
  const drawFigure = async (name) => {
    const box = byId(name);
    const find = (selector) => box.querySelector(selector);
    const made = draw[name]();
    const filled = {
      region: place(), months: name === "renewals" ? shown.renewal_months : shown.complaint_months,
      rows: shown.worklist_rows,
    };
    find(".finding").textContent = made?.finding ?? word("not_measured");
    find(".shows").textContent = word(`${name}.shows`, filled);
    find(".scope").hidden = !content.group_only.includes(name) || state.region === root;
    find(".is").textContent =
      [word(`${name}.is`, made?.is ?? {}), made?.more].filter(Boolean).join(" ");
    find(".body").replaceChildren(...(made?.body ?? []));
    find("details.table").hidden = !made?.table;
    find("details.table .scroll").replaceChildren(...(made?.table ? [table(...made.table)] : []));
    const canvas = find(".chart");
    views.get(name)?.finalize();
    views.delete(name);
    canvas.hidden = !made?.chart;
    if (!made?.chart) return canvas.replaceChildren();
    const spec = { ...content.charts[state.language][name], datasets: { rows: made.chart } };
    if (made.chart.some((row) => "reach" in row)) makeRoom(made.chart, canvas.clientWidth);
    if (spec.usermeta) {
      const names = new Set(made.chart.map((row) => row.name)).size;
      spec.height = spec.usermeta.room + names * spec.usermeta.row_height;
    }
    /* The figure is told by its finding and its table; single marks are not read aloud. */
    const plot = element("div", { class: "plot", "aria-hidden": "true" });
    canvas.replaceChildren(plot);
    const drawn = await vegaEmbed(plot, spec, {
      mode: "vega-lite", ast: true, actions: false, renderer: "svg", config: theme(name),
      tooltip: { theme: dark.matches ? "dark" : "light" },
      expressionFunctions: {
        compact: (value) => format.compact(value),
        percent: (value) => format.whole(value),
        month: (value) => format.month(value),
      },
    });
    views.set(name, drawn);
    if (made.onClick) {
      drawn.view.addEventListener("click", (_, item) => item?.datum && made.onClick(item.datum));
    }
  };

  const drawFrame = () => {
    document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
    const title = word("title", { month: format.month(subject.closing_month, "long") });
    document.title = `${title} · ${place()}`;
    byId("title").textContent = title;
    for (const one of document.querySelectorAll("[data-word]")) one.textContent = word(one.dataset.word);
    for (const one of document.querySelectorAll("[data-source]")) {
      one.textContent = word("source", { tables: one.dataset.source });
    }
    const critical = records.validation.filter((row) => row.severity === "critical");
    const failed = sum(critical, "failed");
    byId("stamp").textContent = [
      word("made", { when: format.moment(subject.started_at), ago: ago(subject.started_at) }),
      word(failed ? "distrusted" : "trusted", {
        failed: format.count(failed), checked: format.count(sum(critical, "checked")),
      }),
      word("run", { run: subject.run_id }),
    ].join(" · ");
    byId("foot").textContent = word("foot", {
      version: subject.code_version, currency: subject.reporting_currency, policy: subject.tier_policy,
    });
    const { region_level: level } = regions.get(state.region);
    const levels = [...new Set(records.regions.map((region) => region.region_level))];
    options(byId("level"), levels.map((one) => [one, code(one)]), level);
    options(byId("region"), records.regions.filter((region) => region.region_level === level)
      .map((region) => [region.region_code, region.region_name]), state.region);
    byId("language").value = state.language;
  };
  const options = (select, choices, chosen) => {
    select.replaceChildren(...choices.map(([value, text]) => element("option", { value, text })));
    select.value = chosen;
  };

  /* Drawings follow one another: a choice made while one is drawn waits for it. */
  let drawing = Promise.resolve();
  const redraw = () => {
    delete document.documentElement.dataset.drawn;
    drawing = drawing.then(async () => {
      drawFrame();
      drawHeadlines();
      for (const chapter of Object.values(content.contents)) {
        for (const name of Object.keys(chapter)) await drawFigure(name);
      }
      document.documentElement.dataset.drawn = `${state.region} ${state.language}`;
    });
    return drawing;
  };
  const choose = (wanted) => {
    Object.assign(state, wanted);
    const address = new URLSearchParams({ region: state.region, language: state.language });
    history.replaceState(null, "", `#${address}`);
    return redraw().then(() => {
      byId("announcement").textContent =
        `${code(regions.get(state.region).region_level)}: ${place()}`;
    });
  };

  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("language").addEventListener("change", (event) => choose({ language: event.target.value }));
  byId("region").addEventListener("change", (event) => choose({ region: event.target.value }));
  byId("level").addEventListener("change", (event) =>
    choose({ region: records.regions.find((one) => one.region_level === event.target.value).region_code }));
  dark.addEventListener("change", redraw);
  for (const width of ["52rem", "40rem"]) {
    window.matchMedia(`(max-width: ${width})`).addEventListener("change", redraw);
  }

  const asked = new URLSearchParams(location.hash.slice(1));
  state.region = regions.has(asked.get("region")) ? asked.get("region") : root;
  state.language = content.words[asked.get("language")]
    ? asked.get("language") : navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
  redraw();
})();
