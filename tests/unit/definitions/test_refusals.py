"""What `check` refuses: one test for each refusal, with its exact sentence.

Every text has `name: a` on its first line, `steps:` on its second and one step on each line after it; what stands
beside the steps comes last.
"""

from __future__ import annotations

import pytest

from passerelle.definitions.compiler import compile_definition
from passerelle.engine.registry import load_kinds

KINDS = load_kinds()
NAMES = ", ".join(f"`{name}`" for name in sorted(KINDS))

Refusal = tuple[str, list[str], str, list[str]]
"""What it is about, the steps, what stands beside them, and all that is told."""

STRUCTURE: list[Refusal] = [
    (
        "an unknown key of the definition",
        ["{id: one, set: {x: 1}}"],
        "titel: b",
        [
            "4: titel: unknown key; did you mean `title`?",
        ],
    ),
    (
        "a name that is no name",
        ["{id: one, set: {x: 1}}"],
        "name: My_Flow",
        [
            "3: name: must have 1 to 63 lower-case letters, digits and `-`, and not begin with `-`, is `My_Flow`",
        ],
    ),
    (
        "no steps",
        [],
        "steps: []",
        [
            "2: steps: must have at least 1 item",
        ],
    ),
    (
        "steps that are no list",
        [],
        "steps: {id: a}",
        [
            "2: steps: must be a list, is an object",
        ],
    ),
    (
        "a step that is no object",
        ["one"],
        "",
        [
            "3: steps[0]: must be an object, is a text",
        ],
    ),
    (
        "a step without id",
        ["{set: {x: 1}}"],
        "",
        [
            "3: steps[0]: the key `id` is missing",
        ],
    ),
    (
        "an id that expressions cannot read",
        ["{id: my-step, set: {x: 1}}"],
        "",
        [
            "3: steps[0].id: must begin with a letter and have letters, digits and `_` only (a `-` would be a minus in `steps.<id>`), is `my-step`",
        ],
    ),
    (
        "a step without kind",
        ["{id: a, title: b}"],
        "",
        [
            f"3: steps.a: needs one of {NAMES}",
        ],
    ),
    (
        "an unknown kind",
        ["{id: a, htpp: {url: b}}"],
        "",
        [
            "3: steps.a.htpp: unknown key; did you mean `http`?",
        ],
    ),
    (
        "an unknown key like none",
        ["{id: a, zzz: 1, set: {x: 1}}"],
        "",
        [
            f"3: steps.a.zzz: unknown key; possible here: `id`, `title`, `when`, `retry`, `timeout`, `onError`, `maxVisits`, `background`, {NAMES}",
        ],
    ),
    (
        "two kinds in one step",
        ["{id: a, set: {x: 1}, end: {}}"],
        "",
        [
            "3: steps.a: has `end` and `set`; only one of them may stand here",
        ],
    ),
    (
        "a wrong type",
        ["{id: a, fail: {code: A, message: 5}}"],
        "",
        [
            "3: steps.a.fail.message: must be a text, is a number",
        ],
    ),
    (
        "no text",
        ["{id: a, set: {x: 1}, title: 5}"],
        "",
        [
            "3: steps.a.title: must be a text, or one text for each language, is a number",
        ],
    ),
    (
        "no length of time",
        ["{id: a, set: {x: 1}, timeout: 5 minutes}"],
        "",
        [
            "3: steps.a.timeout: must be a length of time such as `30s`, `5m`, `12h` or `2d`, is `5 minutes`",
        ],
    ),
    (
        "a number for a length of time",
        ["{id: a, set: {x: 1}, timeout: 5}"],
        "",
        [
            "3: steps.a.timeout: must be a length of time such as `30s`, `5m`, `12h` or `2d`, is a number",
        ],
    ),
    (
        "too long a time",
        ["{id: a, wait: {for: 9999d}}"],
        "",
        [
            "3: steps.a.wait.for: '9999d' is longer than ten years",
        ],
    ),
    (
        "no visits",
        ["{id: a, set: {x: 1}, maxVisits: 0}"],
        "",
        [
            "3: steps.a.maxVisits: must be at least 1, is `0`",
        ],
    ),
    (
        "half a visit",
        ["{id: a, set: {x: 1}, maxVisits: 1.5}"],
        "",
        [
            "3: steps.a.maxVisits: must be a whole number, is a fraction",
        ],
    ),
    (
        "too many visits",
        ["{id: a, set: {x: 1}, maxVisits: 10001}"],
        "",
        [
            "3: steps.a.maxVisits: must be at most 10000, is `10001`",
        ],
    ),
    (
        "an unknown onError",
        ["{id: a, set: {x: 1}, onError: ignore}"],
        "",
        [
            "3: steps.a.onError: must be `fail`, `continue` or `{goto: <step>}`, is `ignore`",
        ],
    ),
    (
        "an onError that goes nowhere",
        ["{id: a, set: {x: 1}, onError: {to: b}}"],
        "",
        [
            "3: steps.a.onError: the key `goto` is missing",
            "3: steps.a.onError.to: unknown key; did you mean `goto`?",
        ],
    ),
    (
        "an onError of another type",
        ["{id: a, set: {x: 1}, onError: [1]}"],
        "",
        [
            "3: steps.a.onError: must be `fail`, `continue` or `{goto: <step>}`, is a list",
        ],
    ),
    (
        "an unknown key of retry",
        ["{id: a, set: {x: 1}, retry: {attempt: 3}}"],
        "",
        [
            "3: steps.a.retry.attempt: unknown key; did you mean `attempts`?",
        ],
    ),
    (
        "reasons that nothing fails for",
        ["{id: a, set: {x: 1}, retry: {on: [time-out, 200]}}"],
        "",
        [
            "3: steps.a.retry.on[0]: must be `timeout`, `connection`, `answer`, `4xx`, `5xx` or a status from 400 to 599, is `time-out`",
            "3: steps.a.retry.on[1]: must be at least 400, is `200`",
        ],
    ),
    (
        "wrong numbers of retry",
        ["{id: a, set: {x: 1}, retry: {attempts: many, factor: 0.5}}"],
        "",
        [
            "3: steps.a.retry.attempts: must be a whole number, is a text",
            "3: steps.a.retry.factor: must be at least 1, is `0.5`",
        ],
    ),
    (
        "an unknown type of a parameter",
        ["{id: one, set: {x: 1}}"],
        "parameters: {x: {type: text}}",
        [
            "4: parameters.x.type: must be `string`, `number`, `boolean`, `object` or `list`, is `text`",
        ],
    ),
    (
        "a parameter in short",
        ["{id: one, set: {x: 1}}"],
        "parameters: {x: string}",
        [
            "4: parameters.x: must be an object, is a text",
        ],
    ),
    (
        "a parameter without type",
        ["{id: one, set: {x: 1}}"],
        "parameters: {x: {required: true}}",
        [
            "4: parameters.x: the key `type` is missing",
        ],
    ),
    (
        "no language",
        ["{id: one, set: {x: 1}}"],
        "title: {english: b}",
        [
            "4: title.english: a language is written like `en` or `pt-BR`, is `english`",
        ],
    ),
    (
        "a text in no language",
        ["{id: one, set: {x: 1}}"],
        "title: {}",
        [
            "4: title: must have at least 1 key",
        ],
    ),
    (
        "a condition that YAML takes for something else",
        ["{id: a, set: {x: 1}, when: true}"],
        "",
        [
            "3: steps.a.when: must be an expression such as `steps.risk.score >= 70`, is true or false",
        ],
    ),
    (
        "a mark that is no truth value",
        ["{id: a, set: {x: 1}, background: yes}"],
        "",
        [
            "3: steps.a.background: must be true or false, is a text",
        ],
    ),
    (
        "two ways to wait",
        ["{id: a, wait: {for: 1d, until: b}}"],
        "",
        [
            "3: steps.a.wait: has `for` and `until`; only one of them may stand here",
        ],
    ),
    (
        "no way to wait",
        ["{id: a, wait: {}}"],
        "",
        [
            "3: steps.a.wait: needs one of `for`, `until`",
        ],
    ),
    (
        "an empty switch",
        ["{id: a, switch: []}"],
        "",
        [
            "3: steps.a.switch: must have at least 1 item",
        ],
    ),
    (
        "too short a time for the end user",
        ["{id: one, set: {x: 1}}"],
        "expiresAfter: 5m",
        [
            "4: expiresAfter: must be from 30m to 30d, is `5m`",
        ],
    ),
    (
        "too long a time for the end user",
        ["{id: one, set: {x: 1}}"],
        "expiresAfter: 31d",
        [
            "4: expiresAfter: must be from 30m to 30d, is `31d`",
        ],
    ),
]

ORDER: list[Refusal] = [
    (
        "an id twice",
        ["{id: one, set: {x: 1}}", "{id: one, set: {x: 1}}"],
        "",
        [
            "4: steps[1].id: the step on line 3 has the id `one` already; every step needs its own",
        ],
    ),
    (
        "an id that CEL reserves",
        ["{id: loop, set: {x: 1}}"],
        "",
        [
            "3: steps.loop.id: `loop` is a reserved word of CEL, so expressions cannot read it; use another name",
        ],
    ),
    (
        "a step that nothing leads to",
        ["{id: a, end: }", "{id: one, set: {x: 1}}"],
        "",
        [
            "4: steps.one: nothing leads to this step; jump to it with a `goto`, or remove it",
        ],
    ),
    (
        "a goto to nothing",
        ["{id: first, switch: [{goto: secnod}]}", "{id: second, set: {x: 1}}"],
        "",
        [
            "3: steps.first.switch[0].goto: there is no step `secnod`; did you mean `second`?",
        ],
    ),
    (
        "an onError to nothing",
        ["{id: a, set: {x: 1}, onError: {goto: zzz}}"],
        "",
        [
            "3: steps.a.onError.goto: there is no step `zzz`; the steps are `a`",
        ],
    ),
    (
        "a goto out of a branch",
        ["{id: e, each: {in: [1], steps: [{id: i, switch: [{when: 'true', goto: z}]}]}}", "{id: z, end: }"],
        "",
        [
            "3: steps.e.each.steps.i.switch[0].goto: the step `z` is in another list of steps; a jump stays within its own list",
        ],
    ),
    (
        "a case behind one that is always taken",
        ["{id: a, switch: [{goto: b}, {goto: c}]}", "{id: b, set: {x: 1}}", "{id: c, set: {x: 1}}"],
        "",
        [
            "3: steps.a.switch[0]: without `when` this case is always taken, so no later one is; move it to the end",
        ],
    ),
    (
        "a loop without a way out",
        ["{id: a, set: {x: 1}}", "{id: b, switch: [{goto: a}]}"],
        "",
        [
            "3: steps.a: the loop of `a`, `b` has no way out; let a `switch` in it go on under some condition",
        ],
    ),
    (
        "a loop at the end of the way",
        ["{id: a, switch: [{when: 'true', goto: c}]}", "{id: b, end: }", "{id: c, switch: [{goto: c}]}"],
        "",
        [
            "5: steps.c: the loop of `c` has no way out; let a `switch` in it go on under some condition",
        ],
    ),
    (
        "the end user inside of another step",
        ["{id: e, each: {in: [1], steps: [{id: m, message: {title: a, text: b}}]}}"],
        "",
        [
            "3: steps.e.each.steps.m.message: needs the end user, so it cannot stand inside of `e`; move it out of there",
        ],
    ),
    (
        "the end user after the background began",
        ["{id: one, set: {x: 1}, background: true}", "{id: m, message: {title: a, text: b}}"],
        "",
        [
            "4: steps.m.message: needs the end user, who is done from `one` on (`background: true`); move the step before `one`, or remove the mark",
        ],
    ),
    (
        "the end user where the background begins",
        ["{id: m, message: {title: a, text: b}, background: true}"],
        "",
        [
            "3: steps.m.message: needs the end user, who is done from `m` on (`background: true`); move the step before `m`, or remove the mark",
        ],
    ),
]

REFERENCES: list[Refusal] = [
    (
        "an expression that does not compile",
        ["{id: a, when: '1 +', set: {x: '${steps..}'}}"],
        "",
        [
            "3: steps.a.when: expected a value, found the end of the expression",
            "3: steps.a.set.x: expected the name of a member, found `.`",
        ],
    ),
    (
        "an expression in the clothes of a template",
        ["{id: a, when: '${parameters.y}', set: {x: 1}}"],
        "parameters: {y: {type: boolean}}",
        [
            "3: steps.a.when: write the expression without `${…}` around it",
        ],
    ),
    (
        "a template that does not end",
        ["{id: a, set: {x: '${1 + 1'}}"],
        "",
        [
            "3: steps.a.set.x: this ${ is not closed; add }, or write $${ for the characters themselves",
        ],
    ),
    (
        "an unknown name",
        ["{id: a, set: {x: '${paramters.y}'}}"],
        "",
        [
            "3: steps.a.set.x: nothing is called `paramters` here; did you mean `parameters`?",
        ],
    ),
    (
        "an unknown step",
        ["{id: first, set: {x: 1}}", "{id: a, set: {x: '${steps.frist.x}'}}"],
        "",
        [
            "4: steps.a.set.x: there is no step `frist`; did you mean `first`?",
        ],
    ),
    (
        "an unknown step behind has",
        ["{id: a, set: {x: '${has(steps.zz) ? 1 : 2}'}}"],
        "",
        [
            "3: steps.a.set.x: there is no step `zz`; the steps are `a`",
        ],
    ),
    (
        "a step that comes later",
        ["{id: a, set: {x: '${steps.b.x}'}}", "{id: b, set: {x: 1}}"],
        "",
        [
            "3: steps.a.set.x: the step `b` cannot have run before: no path leads from it to here; move it up",
        ],
    ),
    (
        "a step that comes later behind has",
        ["{id: a, set: {x: '${has(steps.b) ? 1 : 2}'}}", "{id: b, set: {x: 1}}"],
        "",
        [
            "3: steps.a.set.x: the step `b` cannot have run before: no path leads from it to here; move it up",
        ],
    ),
    (
        "a step of another way",
        [
            "{id: a, switch: [{when: 'true', goto: c}]}",
            "{id: b, switch: [{goto: d}]}",
            "{id: c, set: {x: '${steps.b}'}}",
            "{id: d, set: {x: 1}}",
        ],
        "",
        [
            "5: steps.c.set.x: the step `b` cannot have run before: no path leads from it to here; move it up",
        ],
    ),
    (
        "its own output",
        ["{id: a, set: {x: '${steps.a.x}'}}"],
        "",
        [
            "3: steps.a.set.x: the step `a` reads its own output, which is there only once it has run; remove the reference",
        ],
    ),
    (
        "an inner step from outside",
        ["{id: e, each: {in: [1], steps: [{id: i, set: {x: '${item}'}}]}}", "{id: b, set: {x: '${steps.i.x}'}}"],
        "",
        [
            "4: steps.b.set.x: the step `i` is inside of `e`, which shows only its own output: read `steps.e`",
        ],
    ),
    (
        "an inner step in the result",
        ["{id: e, each: {in: [1], steps: [{id: i, set: {x: '${item}'}}]}}"],
        "result: '${steps.i}'",
        [
            "4: result: the step `i` is inside of `e`, which shows only its own output: read `steps.e`",
        ],
    ),
    (
        "a step of another branch",
        ["{id: p, parallel: {branches: {l: [{id: a, set: {x: 1}}], r: [{id: b, set: {x: '${steps.a.x}'}}]}}}"],
        "",
        [
            "3: steps.p.parallel.branches.r.b.set.x: the step `a` is inside of `p`, which shows only its own output: read `steps.p`",
        ],
    ),
    (
        "an unknown step in the result",
        ["{id: one, set: {x: 1}}"],
        "result: {a: ['${steps.oen.x}']}",
        [
            "4: result.a[0]: there is no step `oen`; did you mean `one`?",
        ],
    ),
    (
        "item outside of each",
        ["{id: a, set: {x: '${item.y}'}}"],
        "",
        [
            "3: steps.a.set.x: `item` is known only in the steps inside of an `each`",
        ],
    ),
    (
        "secrets outside of http",
        ["{id: a, set: {x: '${secrets.K}'}}"],
        "",
        [
            "3: steps.a.set.x: `secrets` can be read only inside of `http`, so that they end up in no output; remove it here",
        ],
    ),
    (
        "secrets in a condition",
        ["{id: a, when: \"secrets.K == '1'\", http: {method: GET, url: 'https://a.example/'}}"],
        "",
        [
            "3: steps.a.when: `secrets` can be read only inside of `http`, so that they end up in no output; remove it here",
        ],
    ),
    (
        "an undeclared parameter",
        ["{id: a, set: {x: '${parameters.usrId}'}}"],
        "parameters: {userId: {type: string}}",
        [
            "3: steps.a.set.x: the parameter `usrId` is not declared; did you mean `userId`?",
        ],
    ),
    (
        "a parameter where none is declared",
        ["{id: a, set: {x: '${parameters.y}'}}"],
        "",
        [
            "3: steps.a.set.x: the parameter `y` is not declared; `parameters` declares none",
        ],
    ),
    (
        "a record that there is none of",
        ["{id: a, set: {x: '${record.y}'}}"],
        "",
        [
            "3: steps.a.set.x: there is no `record` to read; add `record: {table: …}` to the definition, or remove the reference",
        ],
    ),
    (
        "a default of another type",
        ["{id: one, set: {x: 1}}"],
        "parameters: {n: {type: number, default: '5'}}",
        [
            "4: parameters.n.default: must be a number as `type` says, is a text",
        ],
    ),
]

TRANSLATIONS: list[Refusal] = [
    (
        "a language that one text lacks",
        ["{id: m, message: {title: {en: a}, text: {pl: b, de: c}}}"],
        "title: {en: A, pl: B}",
        [
            "3: steps.m.message.title: has no text in `pl`, `de`, which other texts of the definition have; add it",
            "3: steps.m.message.text: has no text in `en`, which other texts of the definition have; add it",
            "4: title: has no text in `de`, which other texts of the definition have; add it",
        ],
    ),
    (
        "a language that a part of an e-mail lacks",
        ["{id: m, email: {to: a@example.com, subject: {en: A}, body: {pl: B}}}"],
        "",
        [
            "3: steps.m.email.subject: has no text in `pl`, which other texts of the step have; add it",
            "3: steps.m.email.body: has no text in `en`, which other texts of the step have; add it",
        ],
    ),
    (
        "a language that a field of a form lacks",
        ["{id: f, form: {title: {en: a, pl: b}, schema: {type: object, properties: {x: {title: {en: c}}}}}}"],
        "",
        [
            "3: steps.f.form.schema.properties.x.title: has no text in `pl`, which other texts of the definition have; add it",
        ],
    ),
]

KINDS_OF_STEPS: list[Refusal] = [
    (
        "record: no table",
        ["{id: a, record: {find: {}}}"],
        "",
        [
            "3: steps.a.record: the definition has no `record:` block, so say here which `table` is meant",
        ],
    ),
    (
        "record: two actions",
        ["{id: a, record: {table: t, find: {}, create: {}}}"],
        "",
        [
            "3: steps.a.record: has `create` and `find`; only one of them may stand here",
        ],
    ),
    (
        "record: an id that means nothing",
        ["{id: a, record: {table: t, find: {}, id: x}}"],
        "",
        [
            "3: steps.a.record.id: goes with `update` only; remove it",
        ],
    ),
    (
        "record: upsert by nothing",
        ["{id: a, record: {table: t, upsert: {a: 1}}}"],
        "",
        [
            "3: steps.a.record: the key `by` is missing: `upsert` needs the unique field that finds the record",
        ],
    ),
    (
        "record: upsert by what it does not say",
        ["{id: a, record: {table: t, upsert: {a: 1}, by: b}}"],
        "",
        [
            "3: steps.a.record.by: must be one of the fields under `upsert`, is `b`",
        ],
    ),
    (
        "event: a schema that is none",
        ["{id: a, event: {schema: {type: objekt}}}"],
        "",
        [
            "3: steps.a.event.schema.type: must be `array`, `boolean`, `integer`, `null`, `number`, `object` or `string`, is `objekt`; did you mean `object`?",
        ],
    ),
    (
        "event: a schema elsewhere",
        ["{id: a, event: {schema: {$ref: 'https://example.com/x.json'}}}"],
        "",
        [
            "3: steps.a.event.schema: a `$ref` leads to `https://example.com/x.json`; a schema can refer into itself only, as `#/$defs/…`",
        ],
    ),
    (
        "event: a schema that refers to nothing",
        ["{id: a, event: {schema: {items: {$ref: '#/$defs/x'}}}}"],
        "",
        [
            "3: steps.a.event.schema: a `$ref` leads to `#/$defs/x`, where nothing is; put the schema there",
        ],
    ),
    (
        "event: a schema of another draft",
        ["{id: a, event: {schema: {$schema: 'http://json-schema.org/draft-07/schema#'}}}"],
        "",
        [
            '3: steps.a.event.schema["$schema"]: must be `https://json-schema.org/draft/2020-12/schema`, or left out',
        ],
    ),
    (
        "event: a pattern that is none",
        ["{id: a, event: {schema: {type: string, pattern: '('}}}"],
        "",
        [
            "3: steps.a.event.schema.pattern: is not a valid regex",
        ],
    ),
    (
        "event: a name that no address can have",
        ["{id: a, event: {name: 'a b'}}"],
        "",
        [
            "3: steps.a.event.name: must have 1 to 100 letters, digits, `.`, `-` and `_`, and not begin with `.` or `-`, is `a b`",
        ],
    ),
    (
        "fail: a code that is none",
        ["{id: a, fail: {code: not_found, message: a}}"],
        "",
        [
            "3: steps.a.fail.code: must have capital letters, digits and `_`, such as `COMPANY_NOT_FOUND`, is `not_found`",
        ],
    ),
    (
        "wait: no moment",
        ["{id: a, wait: {until: tomorrow}}"],
        "",
        [
            "3: steps.a.wait.until: must be a moment such as `2026-12-31T12:00:00Z`, or `${…}`, is `tomorrow`",
        ],
    ),
    (
        "upload: no type and no size",
        ["{id: a, upload: {title: a, accept: [pdf], maxSize: 10 MB}}"],
        "",
        [
            "3: steps.a.upload.accept[0]: must be a media type such as `application/pdf` or `image/*`, is `pdf`",
            "3: steps.a.upload.maxSize: must be a size such as `500KB` or `10MB`, is `10 MB`",
        ],
    ),
    (
        "upload: more files than there may be",
        ["{id: a, upload: {title: a, max: 1, min: 2}}"],
        "",
        [
            "3: steps.a.upload.min: must be at most `max`, which is 1, is 2",
        ],
    ),
    (
        "review: the same outcome twice",
        ["{id: a, review: {title: a, outcomes: [x, x]}}"],
        "",
        [
            "3: steps.a.review.outcomes: has the same item twice; each may stand once",
        ],
    ),
    (
        "texts that take no values",
        [
            "{id: a, consent: {title: '${parameters.x}', text: b, version: '1', label: {en: 'I, ${parameters.x}', pl: Ja}}}",
            "{id: b, form: {title: a, schema: {type: object, properties: {a: {type: string, title: 'A ${parameters.x}'}}}}}",
        ],
        "parameters: {x: {type: string}}",
        [
            "3: steps.a.consent.label.en: is shown as it is: `${…}` is not replaced here",
            "4: steps.b.form.schema.properties.a.title: is shown as it is: `${…}` is not replaced here",
        ],
    ),
    (
        "consent: a version that YAML takes for a number",
        ["{id: a, consent: {title: a, text: b, version: 1.0}}"],
        "",
        [
            "3: steps.a.consent.version: must be a text, is a number",
        ],
    ),
    (
        "form: fields that are none",
        [
            "{id: a, form: {title: a, schema: {type: object, properties: {a: {type: strin}, b: {visibleWhen: form.aa}}}, prefill: {c: 1}}}"
        ],
        "",
        [
            "3: steps.a.form.schema.properties.a.type: must be `array`, `boolean`, `integer`, `null`, `number`, `object` or `string`, is `strin`; did you mean `string`?",
            "3: steps.a.form.schema.properties.b.visibleWhen: the form has no field `aa`; did you mean `a`?",
            "3: steps.a.form.prefill.c: the form has no field `c`; its fields are `a`, `b`",
        ],
    ),
    (
        "form: the form's own keywords",
        [
            "{id: a, form: {title: a, schema: {type: object, properties: {a: {title: {EN: a}, pii: X!}, b: {description: [], visibleWhen: 7}}}}}"
        ],
        "",
        [
            "3: steps.a.form.schema.properties.a.title.EN: a language is written like `en` or `pt-BR`, is `EN`",
            "3: steps.a.form.schema.properties.a.pii: must be a word in lower-case letters, digits and `-`, such as `contact`, is `X!`",
            "3: steps.a.form.schema.properties.b.description: must be a text, or one text for each language, is a list",
            "3: steps.a.form.schema.properties.b.visibleWhen: must be an expression such as `steps.risk.score >= 70`, is a number",
        ],
    ),
    (
        "form: the form's own keywords, deeper",
        [
            "{id: a, form: {title: a, schema: {type: object, properties: {a: {items: {title: {EN: a}, pii: X!, description: 5, visibleWhen: 7}}}}}}"
        ],
        "",
        [
            "3: steps.a.form.schema.properties.a.items.title: a language is written like `en` or `pt-BR`, is `EN`",
            "3: steps.a.form.schema.properties.a.items.pii: must be a class of data, such as `contact`",
            "3: steps.a.form.schema.properties.a.items.description: must be a text, or one text for each language, is a number",
            "3: steps.a.form.schema.properties.a.items.visibleWhen: only a field can be hidden; write it at one of the `properties`",
        ],
    ),
    (
        "form: no object",
        ["{id: a, form: {title: a, schema: {type: array, properties: {}}}}"],
        "",
        [
            "3: steps.a.form.schema.type: must be `object`, is `array`",
            "3: steps.a.form.schema.properties: must have at least 1 key",
        ],
    ),
    (
        "each: no list, and a name that is taken",
        ["{id: a, each: {in: a, as: steps, steps: [{id: i, set: {x: 1}}]}}"],
        "",
        [
            "3: steps.a.each.in: must be one `${…}` that gives a list, is `a`",
            "3: steps.a.each.as: expressions read `steps` already; use another name, such as `owner`",
        ],
    ),
    (
        "each: too many at once, and no steps",
        ["{id: a, each: {in: [], atOnce: 101, steps: []}}"],
        "",
        [
            "3: steps.a.each.atOnce: must be at most 100, is `101`",
            "3: steps.a.each.steps: must have at least 1 item",
        ],
    ),
    (
        "parallel: a branch that expressions cannot read",
        ["{id: a, parallel: {branches: {a-b: [{id: x, set: {x: 1}}], in: [{id: b, set: {x: 1}}]}}}"],
        "",
        [
            '3: steps.a.parallel.branches["a-b"]: must begin with a letter and have letters, digits and `_` only (a `-` would be a minus in `steps.<id>`), is `a-b`',
        ],
    ),
    (
        "parallel: a branch that CEL reserves",
        ["{id: a, parallel: {branches: {l: [{id: x, set: {x: 1}}], in: [{id: b, set: {x: 1}}]}}}"],
        "",
        [
            "3: steps.a.parallel.branches.in: `in` is a reserved word of CEL, so expressions cannot read it; use another name",
        ],
    ),
    (
        "parallel: one branch",
        ["{id: a, parallel: {branches: {l: [{id: x, set: {x: 1}}]}}}"],
        "",
        [
            "3: steps.a.parallel.branches: must have at least 2 keys",
        ],
    ),
    (
        "email: to nobody, about nothing",
        ["{id: a, email: {to: [], subject: a}}"],
        "",
        [
            "3: steps.a.email: the key `body` is missing",
            "3: steps.a.email.to: must have at least 1 item",
        ],
    ),
    (
        "workflow: no name of a definition",
        ["{id: a, workflow: {definition: Other}}"],
        "",
        [
            "3: steps.a.workflow.definition: must have 1 to 63 lower-case letters, digits and `-`, and not begin with `-`, is `Other`",
        ],
    ),
]


def text_of(steps: list[str], beside: str) -> str:
    lines = [] if beside.startswith("name:") else ["name: a"]
    if steps:
        lines += ["steps:", *(f"  - {step}" for step in steps)]
    return "\n".join([*lines, beside] if beside else lines)


@pytest.mark.parametrize(
    ("steps", "beside", "told"),
    [
        pytest.param(steps, beside, told, id=about)
        for about, steps, beside, told in [*STRUCTURE, *ORDER, *REFERENCES, *TRANSLATIONS, *KINDS_OF_STEPS]
    ],
)
def test_it_is_refused_with_this_sentence(steps: list[str], beside: str, told: list[str]) -> None:
    compiled = compile_definition(text_of(steps, beside), KINDS)
    assert [str(problem) for problem in compiled.problems] == told
    assert compiled.definition is None


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://localhost:8080/x", True),
        ("http://127.0.0.1/x", True),
        ("http://[::1]/x", True),
        ("https://10.1.2.3", True),
        ("https://registry.internal/x?q=1", True),
        ("http://2130706433/", True),
        ("https://registry.example/x", False),
        ("https://8.8.8.8/x", False),
        ("https://${parameters.host}/x", False),
        ("http://localhost.example/", False),
    ],
)
def test_an_address_that_production_would_refuse_is_a_warning(url: str, warned: bool) -> None:
    text = f'name: a\nparameters: {{host: {{type: string}}}}\nsteps:\n  - {{id: a, http: {{url: "{url}"}}}}\n'
    compiled = compile_definition(text, KINDS)
    assert not compiled.problems
    assert any("PASSERELLE_EGRESS_ALLOW" in one.message for one in compiled.warnings) is warned
