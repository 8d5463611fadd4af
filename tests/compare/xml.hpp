// What an XML document holds, and what a page that needs nothing else must not.
#pragma once

#include <expat.h>

#include <map>
#include <string>
#include <vector>

namespace nngpcheck::compare {

struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;
};

struct Xml {
  std::vector<Element> elements;  // in document order
  std::string text;               // of all of them
  std::string error;              // why it is not well-formed, or ""

  std::vector<std::string> attributes(const std::string& name) const {
    std::vector<std::string> result;
    for (const Element& element : elements) {
      if (const auto found = element.attributes.find(name); found != element.attributes.end())
        result.push_back(found->second);
    }
    return result;
  }
  int count(const std::string& name) const {
    int result = 0;
    for (const Element& element : elements) result += element.name == name;
    return result;
  }
};

inline Xml parse_xml(const std::string& document) {
  Xml result;
  XML_Parser parser = XML_ParserCreate(nullptr);
  XML_SetUserData(parser, &result);
  XML_SetElementHandler(
      parser,
      [](void* data, const char* name, const char** attributes) {
        Element element{name, {}};
        for (; *attributes; attributes += 2) element.attributes[attributes[0]] = attributes[1];
        static_cast<Xml*>(data)->elements.push_back(element);
      },
      nullptr);
  XML_SetCharacterDataHandler(parser, [](void* data, const char* text, int length) {
    static_cast<Xml*>(data)->text.append(text, static_cast<std::size_t>(length));
  });
  if (XML_Parse(parser, document.data(), static_cast<int>(document.size()), 1) != XML_STATUS_OK)
    result.error = XML_ErrorString(XML_GetErrorCode(parser));
  XML_ParserFree(parser);
  return result;
}

/// Everything that would be fetched or run.
inline std::vector<std::string> external_references(const Xml& page) {
  std::vector<std::string> result;
  for (const Element& element : page.elements) {
    for (const char* name : {"script", "link", "iframe", "object", "embed"}) {
      if (element.name == name) result.push_back(name);
    }
    for (const auto& [name, value] : element.attributes) {
      const bool refers = name == "src" || name == "href" || name == "xlink:href";
      if (refers && !value.starts_with('#') && !value.starts_with("data:")) result.push_back(value);
      if (name.starts_with("on")) result.push_back(name);
    }
  }
  for (const char* part : {"@import", "url("}) {
    if (page.text.find(part) != std::string::npos) result.push_back(part);
  }
  return result;
}

}  // namespace nngpcheck::compare
