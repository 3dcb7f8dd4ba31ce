//! Values to bytes.

use crate::{Array, Key, Value};

pub(crate) fn write(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Null => to.extend(b"N;"),
        Value::Bool(value) => to.extend(if *value { b"b:1;" } else { b"b:0;" }),
        Value::Int(value) => to.extend(format!("i:{value};").as_bytes()),
        Value::Text(bytes) => text(bytes, to),
        Value::Array(Array(entries)) => {
            to.extend(format!("a:{}:{{", entries.len()).as_bytes());
            for (key, value) in entries {
                match key {
                    Key::Int(index) => to.extend(format!("i:{index};").as_bytes()),
                    Key::Text(name) => text(name, to),
                }
                write(value, to);
            }
            to.push(b'}');
        }
        Value::Verbatim(verbatim) => to.extend(&verbatim.0),
    }
}

fn text(bytes: &[u8], to: &mut Vec<u8>) {
    to.extend(format!("s:{}:\"", bytes.len()).as_bytes());
    to.extend(bytes);
    to.extend(b"\";");
}
