use serde_json::json;

use super::*;

const HEAD: &str = "id = \"acme\"\nversion = \"1.0.0\"\ncontract = \"0.1\"\nname = \"Acme\"\n";

#[test]
fn settings_are_checked_and_defaults_filled_in() {
    let text = format!(
        r#"{HEAD}
host-settings = ["base_url"]
[settings-schema]
type = "object"
additionalProperties = false
[settings-schema.properties.base_url]
type = "string"
default = "https://api.acme.example:8443/v1"
"#
    );
    let manifest = read(&text).unwrap();
    let settings = check(&manifest, &json!({})).unwrap();
    assert_eq!(settings["base_url"], "https://api.acme.example:8443/v1");
    assert!(manifest.hosts_asked(&settings).contains("api.acme.example:8443"));
    let problems = check(&manifest, &json!({ "base_url": 7 })).unwrap_err();
    assert_eq!(problems[0].path, "settings/base_url");
    assert!(check(&manifest, &json!({ "typo": 7 })).is_err());
}

#[test]
fn what_is_no_schema_is_refused() {
    for wrong in ["type = \"object\"\nrequired = 7", "type = \"object\"\nproperties = \"none\""] {
        let problems = read(&format!("{HEAD}[settings-schema]\n{wrong}\n")).unwrap_err();
        assert_eq!(problems[0].path, "settings-schema", "{wrong}");
        // With whatever else is wrong.
        let text = format!("{}[settings-schema]\n{wrong}\n", HEAD.replace("1.0.0", "1"));
        let paths: Vec<String> = read(&text).unwrap_err().into_iter().map(|problem| problem.path).collect();
        assert_eq!(paths, ["version", "settings-schema"], "{wrong}");
    }
}

#[test]
fn what_refers_to_itself_ends() {
    for schema in [
        json!({ "type": "object", "allOf": [{ "$ref": "#" }] }),
        json!({ "type": "object", "not": { "$ref": "#" } }),
        json!({ "type": "object", "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
        json!({ "type": "object", "$dynamicRef": "#me", "$dynamicAnchor": "me" }),
        json!({ "type": "object", "properties": { "inside": { "$ref": "#" } } }),
    ] {
        let mut manifest = Manifest::parse(HEAD).unwrap();
        manifest.settings_schema = schema;
        let deep = (0..100).fold(json!({}), |inside, _| json!({ "inside": inside }));
        let _ = check(&manifest, &deep);
    }
}
