//! The operations of one version and where they are, written as `AXLAPI.wsdl`. Pure.
//!
//! Source: WSDL 1.1, SOAP binding document/literal; the names are those that tools expect.

use crate::domain::schema::SchemaVersion;
use crate::server::axl::soap_action;

use super::document::Document;
use super::operations::{self, Served};
use super::{PREFIX, XSD};

/// The namespace of the service itself.
const SERVICE: &str = "http://www.cisco.com/AXLAPIService/";

const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
const WSDL_SOAP: &str = "http://schemas.xmlsoap.org/wsdl/soap/";
const HTTP_TRANSPORT: &str = "http://schemas.xmlsoap.org/soap/http";

/// Writes it; `address` is the URL of AXL.
pub(super) fn write(version: SchemaVersion, address: &str) -> String {
    let namespace = soap_action::namespace(version);
    let served = operations::of_version(version);
    let mut document = Document::new();
    document.open(
        "definitions",
        &[
            ("name", "AXLAPIService"),
            ("targetNamespace", SERVICE),
            ("xmlns", WSDL),
            ("xmlns:soap", WSDL_SOAP),
            ("xmlns:service", SERVICE),
            (&format!("xmlns:{PREFIX}"), &namespace),
            ("xmlns:xsd", XSD),
        ],
    );
    document.open("types", &[]);
    document.open("xsd:schema", &[("targetNamespace", SERVICE)]);
    let import = [("namespace", &*namespace), ("schemaLocation", super::SOAP)];
    document.empty("xsd:import", &import);
    document.close_times(2);
    for served in &served {
        message(&mut document, &input(served), &served.name);
        message(&mut document, &output(served), &served.response());
    }
    port_type(&mut document, &served);
    binding(&mut document, &served, version);
    document.open("service", &[("name", "AXLAPIService")]);
    let port = [("name", "AXLPort"), ("binding", "service:AXLAPIBinding")];
    document.open("port", &port);
    document.empty("soap:address", &[("location", address)]);
    document.finish()
}

fn input(served: &Served) -> String {
    format!("{}In", served.type_name())
}

fn output(served: &Served) -> String {
    format!("{}Out", served.type_name())
}

fn message(document: &mut Document, name: &str, element: &str) {
    document.open("message", &[("name", name)]);
    let element = format!("{PREFIX}:{element}");
    document.empty("part", &[("name", "body"), ("element", &element)]);
    document.close();
}

fn port_type(document: &mut Document, served: &[Served]) {
    document.open("portType", &[("name", "AXLPort")]);
    for served in served {
        document.open("operation", &[("name", &served.name)]);
        for (direction, message) in [("input", input(served)), ("output", output(served))] {
            document.empty(direction, &[("message", &format!("service:{message}"))]);
        }
        document.close();
    }
    document.close();
}

fn binding(document: &mut Document, served: &[Served], version: SchemaVersion) {
    let attributes = [("name", "AXLAPIBinding"), ("type", "service:AXLPort")];
    document.open("binding", &attributes);
    let style = [("style", "document"), ("transport", HTTP_TRANSPORT)];
    document.empty("soap:binding", &style);
    for served in served {
        document.open("operation", &[("name", &served.name)]);
        let action = format!("CUCM:DB ver={version} {}", served.name);
        let attributes = [("soapAction", &*action), ("style", "document")];
        document.empty("soap:operation", &attributes);
        for direction in ["input", "output"] {
            document.open(direction, &[]);
            document.empty("soap:body", &[("use", "literal")]);
            document.close();
        }
        document.close();
    }
    document.close();
}
