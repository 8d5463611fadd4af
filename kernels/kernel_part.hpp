// A kernel in parts, each computed on a machine of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/kernels/mosaic.hpp"
#include "nngpcheck/support/part.hpp"

namespace nngpcheck::kernels {

/// Some tiles of a kernel, and which.
struct KernelPart {
  nlohmann::ordered_json experiment;  // what was asked for, to say where others differ
  std::uint64_t fingerprint = 0;      // of all that decides the kernel's numbers
  support::Part part;
  std::vector<std::string> labels;   // of the whole: one per row
  std::vector<std::string> columns;  // and per column, unless it is symmetric
  std::vector<KernelTile> tiles;
};

// A part's file is, without gaps and in the machine's byte order,
//
//     "nngpcheck kernel part 1\n" | length of the head, 8 bytes | head: JSON, with the places of the tiles
//     | of each tile value, error bound and, if any is not 0, standard error, float64 by columns
//     | CRC-32 of all that, 4 bytes

std::string serialize(const KernelPart& part);

/// Whether a file begins as a part does.
bool is_part(const std::filesystem::path& file);

/// A part from a stream of so many bytes. Throws InputError, which says `name`, unless it is whole.
KernelPart read_part(std::istream& stream, std::uint64_t size, const std::string& name);
KernelPart read_part(const std::filesystem::path& file);

/// Puts the parts of one kernel together, one after the other; in memory are the kernel and one part.
class PartMerger {
 public:
  /// Throws InputError, which says `name`, for a part of another kernel, one that is there already, and a
  /// kernel that does not fit the memory.
  void add(KernelPart part, const std::string& name);

  /// The kernel. Throws InputError, which says which are missing, unless all parts were added.
  Kernel take();

 private:
  void begin(const KernelPart& part, const std::string& name);
  void check(const KernelPart& part, const std::string& name) const;

  KernelPart first_;                           // without its tiles
  std::map<std::int64_t, std::string> names_;  // of the parts that are there
  std::optional<Mosaic> mosaic_;
};

}  // namespace nngpcheck::kernels
