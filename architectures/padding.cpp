#include "nngpcheck/architectures/padding.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "nngpcheck/architectures/options.hpp"

namespace nngpcheck::architectures {

namespace {

constexpr std::array<const char*, 4> kinds = {"valid", "zero", "circular", "same"};  // in the order of Kind

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

Padding::Padding(const std::string& word) {
  const auto found = std::find(kinds.begin(), kinds.end(), lower_case(word));
  if (found == kinds.end()) {
    throw ArchitectureError("padding = \"" + word + "\": must be one of " + choices() +
                                ": a word, or how many zeros both ends of each axis get",
                            "padding");
  }
  kind_ = static_cast<Kind>(found - kinds.begin());
}

Padding::Padding(std::vector<std::int64_t> sizes) : sizes_(std::move(sizes)) {
  if (sizes_.empty()) throw ArchitectureError("padding = []: give an integer, or one per axis", "padding");
  for (const std::int64_t size : sizes_) {
    if (size >= 0 && size <= largest_count) continue;
    throw ArchitectureError(
        "padding holds " + std::to_string(size) + ": must be from 0 to " + std::to_string(largest_count),
        "padding");
  }
}

std::string Padding::text() const {
  if (kind_ != Kind::sizes) return kinds[static_cast<std::size_t>(kind_)];
  return sizes_.size() == 1 ? std::to_string(sizes_.front()) : detail::text(sizes_);
}

std::string Padding::choices() {
  std::string result;
  for (const char* word : kinds) result += std::string(word) + "|";
  return result + "integers";
}

}  // namespace nngpcheck::architectures
