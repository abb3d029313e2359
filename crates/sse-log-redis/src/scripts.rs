use redis::Script;

/// The scripts that run in Redis. A script reads the state of one moment, and writes all or nothing.
#[derive(Debug)]
pub(crate) struct Scripts {
    pub(crate) append: Script,
    /// The same, and finishes the log.
    pub(crate) append_last: Script,
    pub(crate) bounds: Script,
    pub(crate) before_last: Script,
    pub(crate) before_since: Script,
    pub(crate) read_topics: Script,
    pub(crate) retain: Script,
    pub(crate) finish: Script,
    pub(crate) delete: Script,
    pub(crate) begin_epoch: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            append: script(concat!("local ends = false\n", include_str!("lua/append.lua"))),
            append_last: script(concat!("local ends = true\n", include_str!("lua/append.lua"))),
            bounds: script(include_str!("lua/bounds.lua")),
            before_last: script(include_str!("lua/before_last.lua")),
            before_since: script(include_str!("lua/before_since.lua")),
            read_topics: script(include_str!("lua/read_topics.lua")),
            retain: script(include_str!("lua/retain.lua")),
            finish: script(include_str!("lua/finish.lua")),
            delete: script(include_str!("lua/delete.lua")),
            begin_epoch: script(include_str!("lua/begin_epoch.lua")),
        }
    }
}

/// Returns a script: the code that all scripts share, then its own. The flags of a script must be on its first line.
fn script(code: &str) -> Script {
    let common = [
        include_str!("lua/log.lua"),
        include_str!("lua/clock.lua"),
        include_str!("lua/once.lua"),
        include_str!("lua/topics.lua"),
        include_str!("lua/trim.lua"),
        include_str!("lua/ids.lua"),
    ]
    .concat();
    match code.split_once('\n') {
        Some((flags, code)) if flags.starts_with("#!") => {
            Script::new(&[flags, "\n", &common, code].concat())
        }
        _ => Script::new(&[&common, code].concat()),
    }
}
