import { useEffect, useState } from 'react';

/**
 * The secret behind the # of the address, which no server ever sees; it is taken out of the address bar at once. Undefined
 * until the address was read, null where there is none. A link pasted into the open page counts, too.
 */
export function useHashToken(): string | null | undefined {
  const [token, setToken] = useState<string | null>();
  useEffect(() => {
    const read = () => {
      const found = location.hash.slice(1);
      if (found === '') return setToken((known) => known ?? null);
      setToken(found);
      history.replaceState(history.state, '', location.pathname + location.search);
    };
    read();
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  return token;
}
