#include "nngpcheck/files/data_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "nngpcheck/files/cifar.hpp"
#include "nngpcheck/files/foreign.hpp"
#include "nngpcheck/files/idx.hpp"
#include "nngpcheck/files/npy.hpp"
#include "nngpcheck/files/text_file.hpp"
#include "nngpcheck/files/unpack.hpp"
#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::files {

namespace {

namespace fs = std::filesystem;

/// A file, and which array of it is asked for: "x.npz:images".
struct Source {
  fs::path file;
  std::optional<std::string> member;
};

Source parse_source(const fs::path& file) {
  const std::string text = file.string();
  const std::size_t colon = text.rfind(':');
  if (fs::exists(file) || colon == std::string::npos || !fs::exists(text.substr(0, colon))) return {file, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

/// The bytes of an array in an npz file.
std::string npz_member(const std::string& bytes, const Source& source) {
  const std::string name = source.file.string();
  std::vector<std::string> members = zip_members(bytes, name);
  const auto is_array = [](const std::string& member) { return member.ends_with(".npy"); };
  if (members.empty())
    throw InputError(name + ": an empty zip file; save an array in it: numpy.savez(file, images=it)");
  if (!std::all_of(members.begin(), members.end(), is_array)) refuse_zip(members, name);
  for (std::string& member : members) member.resize(member.size() - 4);
  if (!source.member && members.size() == 1) return zip_member(bytes, members[0] + ".npy", name);
  const auto found = std::find(members.begin(), members.end(), source.member.value_or(""));
  if (source.member && found != members.end()) return zip_member(bytes, *found + ".npy", name + ":" + *found);
  throw InputError(
      fmt::format("{}: {}; it holds {}: give one of them, as in \"{}:{}\"", name,
                  source.member ? "no array is called " + in_quotes(*source.member) : "several arrays",
                  printable(fmt::format("{}", fmt::join(members, ", "))),
                  printable(source.file.filename().string()), printable(members[0])));
}

}  // namespace

std::variant<ArrayFile, TextFile> read_data_file(const fs::path& file) {
  const Source source = parse_source(file);
  std::string bytes = read_file(source.file);
  fs::path kind = source.file;
  if (is_gzip(bytes)) {
    bytes = gunzip(bytes, source.file.string());
    if (kind.extension() == ".gz") kind.replace_extension();
  }
  std::string name = file.string();
  if (is_zip(bytes)) {
    bytes = npz_member(bytes, source);
  } else if (source.member) {
    throw InputError(source.file.string() + ": no npz file; leave out \":" + printable(*source.member) +
                     "\"");
  }
  if (is_npy(bytes)) return ArrayFile{parse_npy(std::move(name), std::move(bytes))};
  if (kind.extension() == ".bin" && !is_idx(bytes)) {
    refuse_foreign(bytes, name);
    return ArrayFile{parse_cifar(std::move(name), std::move(bytes)), true, std::pair(-1.0, 1.0)};
  }
  if (is_idx(bytes)) {
    Array array = parse_idx(std::move(name), std::move(bytes));
    const bool images = array.shape().size() > 2;
    return ArrayFile{std::move(array), images};
  }
  refuse_foreign(bytes, name);
  check_text(bytes, name);
  return TextFile{std::move(name), std::move(bytes)};
}

std::string read_text(const fs::path& file) {
  auto contents = read_data_file(file);
  if (auto* text = std::get_if<TextFile>(&contents)) return std::move(text->text);
  throw InputError(file.string() + ": an array of numbers, where a text is needed");
}

}  // namespace nngpcheck::files
