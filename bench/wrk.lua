-- Sends the requests of a file one after another, again from its beginning when all are sent.
-- They stand in it as they go over the wire, a NUL byte after each.
local requests, at = {}, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  for one in file:read("*a"):gmatch("([^%z]+)%z") do
    requests[#requests + 1] = one
  end
  file:close()
end

function request()
  at = at % #requests + 1
  return requests[at]
end
