// Private to compare/: text for people.
#pragma once

#include <string>

namespace nngpcheck::compare {

/// The number of characters of a UTF-8 text.
std::size_t characters(const std::string& text);

/// A text of more than `longest` characters with … in place of its middle, so that it has that many: what
/// tells labels apart is at their beginning (folders) or end (numbers).
std::string shortened(const std::string& text, std::size_t longest);

/// For XML and HTML, in elements and quoted attributes. Control characters, which XML does not have, become
/// spaces.
std::string xml_escaped(const std::string& text);

/// An SVG file as the address of a picture, which needs no other file: "data:image/svg+xml,…".
std::string svg_uri(const std::string& svg);

/// With that many decimals and a true minus sign: −0.992.
std::string number(double value, int decimals);

/// With three digits: 1.23 · 10⁻⁴. Precondition: value ≥ 0.
std::string scientific(double value);

}  // namespace nngpcheck::compare
